"""What every contestant does on every host, and how many hosts it does that on at once."""

from __future__ import annotations

HOSTS, STEPS, PARALLEL = 50, 10, 32


def commands() -> list[str]:
    """The commands of one host, in order."""
    return [f"echo hello {number}" for number in range(STEPS)]
