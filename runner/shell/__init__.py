"""How an interpreter is spoken to: bootstraps, typed values, kept interpreters, output."""
