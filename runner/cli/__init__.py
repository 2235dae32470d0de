"""The command line: wiring, signals, exit codes."""
