"""Hosts and groups: read from native and Ansible forms, selected by patterns."""
