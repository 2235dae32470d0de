"""Hosts by how they fared in a run: what ``-l @RUN:failed`` means. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runner.engine.result import WORST_FIRST, Result, Status

BAD: Final = "bad"
STATUS_WORDS: Final = (*(status.value for status in WORST_FIRST), BAD)
"""What may stand after ``@RUN:``."""

_RANK = {status: rank for rank, status in enumerate(WORST_FIRST)}


def hosts_with(results: Iterable[Result], word: str) -> list[str]:
    """The hosts of a run that a status word means, in the order of their first results.

    A bad status means every host with such a result that counted: neither ignored nor rescued. Any other means the
    hosts that nothing worse happened to, as the recap counts them; ``bad`` is any bad status.
    """
    counted: dict[str, set[Status]] = {}
    for result in results:
        found = counted.setdefault(result.host, set())
        found.add(Status.OK if result.ignored or result.rescued else result.status)
    if word == BAD:
        return [host for host, statuses in counted.items() if any(status.bad for status in statuses)]
    wanted = Status(word)
    if wanted.bad:
        return [host for host, statuses in counted.items() if wanted in statuses]
    return [host for host, statuses in counted.items() if min(statuses, key=_RANK.__getitem__) is wanted]
