"""Equal lines of many hosts that come one after another, told once for all of them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from runner.present.folding import fold


class Together:
    """Keeps what hosts of steps have in common until it is taken.

    What is kept is the host's name under a step and a text, so a stop of 10,000 hosts costs no more than their names.
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, list[str]]] = {}

    def add(self, text: str, step: str, host: str) -> None:
        """Keep one host of a step under a text."""
        self._kept.setdefault(text, {}).setdefault(step, []).append(host)

    def __bool__(self) -> bool:
        return bool(self._kept)

    def take(self) -> list[tuple[str, str]]:
        """What was kept, as places and texts, in the order in which they came; nothing is kept any longer.

        A place is ``STEP HOSTS``; steps with the same hosts stand together: ``two,three web[01-40]``.
        """
        kept, self._kept = self._kept, {}
        return [(place, text) for text, steps in kept.items() for place in _places(steps)]


def _places(steps: dict[str, list[str]]) -> list[str]:
    same: dict[Collection[str], list[str]] = {}
    for step, hosts in steps.items():
        same.setdefault(frozenset(hosts), []).append(step)
    return [f"{','.join(names)} {fold(hosts)}" for hosts, names in same.items()]
