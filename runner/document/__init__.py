"""Text to tree: YAML with a position for every node, and the schema check over it."""
