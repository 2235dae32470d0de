"""Results by step and host: those of a journal stay in its file until somebody reads them.

A run of 10,000 hosts x 100 steps has a million of them. Kept here are a number for each, below the name of its step and
its host, which all steps share: some 60 bytes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from typing import TypeAlias

from runner.engine.result import Result
from runner.journal.classify import Fate, classify

Key: TypeAlias = tuple[str, str]
"""The step's id and the host's name."""


class Recorded(MutableMapping[Key, Result]):
    """Results in the order in which they were added; one that takes the place of another has its place.

    A number stands for each: twice the offset of its line in the journal, or a number above all before it where the
    result itself is kept; plus one where it is done (:func:`runner.journal.classify.classify`).
    """

    def __init__(
        self,
        results: Mapping[Key, Result] | None = None,
        *,
        read: Callable[[int], Result] | None = None,
    ) -> None:
        """Begin with ``results``; ``read`` gives the result of the line at an offset."""
        self._read = read
        self._steps: dict[str, dict[str, int]] = {}
        self._whole: dict[int, Result] = {}  # by half of their numbers
        self._last = -1
        self.update(results or {})

    def choice(self) -> Recorded:
        """An empty one, for some of these results; see :meth:`choose`."""
        chosen = Recorded(read=self._at)
        chosen._last = self._last
        return chosen

    def choose(self, key: Key, among: Recorded) -> None:
        """Take over a result from what this is a choice of, without reading it.

        Raises:
            KeyError: it is not there.

        """
        self._steps.setdefault(key[0], {})[key[1]] = among._number(key)

    def leave(self, key: Key, offset: int) -> None:
        """Keep the last result that was added no longer: it is the line at that offset."""
        hosts = self._steps[key[0]]
        number = hosts[key[1]]
        del self._whole[number >> 1]
        hosts[key[1]] = offset << 1 | number & 1
        self._last = offset

    def done(self, key: Key) -> bool:
        """Whether there is a result that a resumed run restores; it is not read for that."""
        return bool(self._steps.get(key[0], {}).get(key[1], 0) & 1)

    def hosts(self, step: str) -> Collection[str]:
        """The hosts that a step has results of."""
        return self._steps.get(step, {}).keys()

    def discard(self, key: Key) -> None:
        """Remove a result where it is there, without reading it."""
        if key in self:
            del self[key]

    def discard_step(self, step: str) -> None:
        """Remove all results of a step."""
        for host in list(self.hosts(step)):
            del self[step, host]

    def __getitem__(self, key: Key) -> Result:
        return self._at(self._number(key) >> 1)

    def __setitem__(self, key: Key, result: Result) -> None:
        hosts = self._steps.setdefault(key[0], {})
        number = hosts.get(key[1])
        place = self._last + 1 if number is None else number >> 1
        self._last = max(self._last, place)
        self._whole[place] = result
        hosts[key[1]] = place << 1 | (classify(result) is Fate.DONE)

    def __delitem__(self, key: Key) -> None:
        number = self._number(key)
        del self._steps[key[0]][key[1]]
        self._whole.pop(number >> 1, None)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple):
            return False
        step, host = key
        return host in self._steps.get(step, ())

    def __iter__(self) -> Iterator[Key]:
        for _, step, host in heapq.merge(*(_numbered(step, hosts) for step, hosts in self._steps.items())):
            yield step, host

    def __len__(self) -> int:
        return sum(map(len, self._steps.values()))

    def _number(self, key: Key) -> int:
        try:
            return self._steps[key[0]][key[1]]
        except KeyError:
            raise KeyError(key) from None

    def _at(self, place: int) -> Result:
        result = self._whole.get(place)
        if result is not None:
            return result
        if self._read is None:
            raise KeyError(place)
        return self._read(place)


def _numbered(step: str, hosts: Mapping[str, int]) -> Iterator[tuple[int, str, str]]:
    return ((number, step, host) for host, number in hosts.items())
