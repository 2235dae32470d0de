"""Runs that are over, or go on elsewhere: who fared how, what resuming does, how two differ. No command line in it."""
