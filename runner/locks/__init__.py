"""Locks on the controller (``lock: run``): who holds which host, in a database that runs of a user or a team share."""
