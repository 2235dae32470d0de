"""A fleet on loopback to try and test with."""
