"""How bytes reach a host: one small port, one module a way."""
