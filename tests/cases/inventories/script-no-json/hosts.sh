#!/bin/sh
echo 'web01 web02'
