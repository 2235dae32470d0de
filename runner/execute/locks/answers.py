"""What a host says of its lock: data that may lie, read strictly and within bounds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from runner.errors import ExecutionFailed
from runner.units import format_duration

_HEAD = re.compile(
    r"(?:taken (?P<taken>[1-9]\d{0,14})|held (?P<held>[1-9]\d{0,14}) (?P<now>\d{1,12}) (?P<folder>.+))"
)
_HOLDING = re.compile(r"[0-9a-f]{32}")
_LONGEST = 200
"""Characters of a name that are shown."""

BY_HAND = "released by hand"
"""Stands for a run in a lock that ``runner locks release`` has left."""


@dataclass(frozen=True, slots=True)
class OnHost:
    """Who holds a host, as its lock says; ``left`` is in seconds, by the host's clock."""

    holding: str
    run: str
    user: str
    controller: str
    pid: int
    since: str
    left: int

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.left <= 0


@dataclass(frozen=True, slots=True)
class Answer:
    """``taken``: it is ours. Else ``by`` holds it, None where the lock's file cannot be read as one.

    ``path`` is that file's, empty where nobody holds it; ``token`` is the grant's number, 0 where there is none.
    """

    taken: bool
    path: str = ""
    by: OnHost | None = None
    token: int = 0

    @property
    def who(self) -> str:
        """Who holds it, for a sentence."""
        by = self.by
        if by is None:
            return f"a file that is no lock of ours, `{self.path}`,"
        if by.run == BY_HAND:
            return f"`runner locks release` of `{by.user}` on `{by.controller}` (at {by.since})"
        left = format_duration(float(by.left)) if by.left > 0 else "0s"
        which = f"process {by.pid}, since {by.since}, for {left} yet"
        return f"run `{by.run}` of `{by.user}` on `{by.controller}` ({which})"


def read_answer(said: str) -> Answer:
    """The answer of the script.

    Raises:
        ExecutionFailed: it is none.

    """
    head, _, text = said.partition("\n")
    if head in {"given", "other", "free"}:
        return Answer(taken=False)
    match = _HEAD.fullmatch(head.rstrip("\r"))
    if match is None:
        raise ExecutionFailed(
            "lock-target-script", "the host's answer about its lock cannot be understood", phase="open"
        )
    if match["taken"]:
        return Answer(taken=True)
    path = f"{match['folder']}/.runner-lock.{match['held']}"[:_LONGEST]
    return Answer(taken=False, path=path, by=_holder(text, int(match["now"])), token=int(match["held"]))


def _holder(text: str, now: int) -> OnHost | None:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("version") != 1:
        return None
    texts = [found.get(key) for key in ("holding", "run", "user", "controller", "since")]
    pid, expires = found.get("pid"), found.get("expires")
    if not all(isinstance(each, str) for each in texts) or type(pid) is not int or type(expires) is not int:
        return None
    holding, run, user, controller, since = (_shown(str(each)) for each in texts)
    if not _HOLDING.fullmatch(holding):
        return None
    return OnHost(holding, run, user, controller, pid, since, expires - now)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:_LONGEST])
