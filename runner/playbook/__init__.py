"""Tree to model: what an author's playbook says, checked."""
