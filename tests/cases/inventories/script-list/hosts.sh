#!/bin/sh
echo '["web01"]'
