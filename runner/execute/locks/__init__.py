"""``lock: target``: an expiring lock on the host itself."""
