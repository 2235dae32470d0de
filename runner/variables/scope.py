"""Variables of a host: layers from low to high precedence, each value with where it came from."""

from __future__ import annotations

from typing import Any, Protocol


class HostScopes(Protocol):
    """The variables of every host of a plan (written by the variables layer; this is the part others may rely on)."""

    def lookup(self, host: str, name: str) -> Any:
        """The value of a plan-time variable on a host, computed once. Raises RunnerError where it cannot be."""
