"""Variables: layers with precedence and provenance, Jinja expressions, typed values."""
