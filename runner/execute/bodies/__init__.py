"""What a step does on a host, one body a module: bound to the host, opened, run, closed."""
