"""Where secrets come from, and how they stay out of every output."""
