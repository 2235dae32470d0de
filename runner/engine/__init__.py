"""The run as a pure state machine, and the thin driver that acts for it."""
