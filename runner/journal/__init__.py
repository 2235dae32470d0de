"""What happened in a run, kept where it outlives the process: written before the act, read again by ``resume``."""
