"""$Using: references: found in script text of every shell, resolved, replaced, never pasted."""
