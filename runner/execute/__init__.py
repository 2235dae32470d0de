"""One assignment on one host: prepare, connect, send, run, read."""
