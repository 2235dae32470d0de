"""What a resumed run does with a result: restore it, run it again, or ask. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from runner.engine.result import Result, Status


class Fate(StrEnum):
    """``done`` is restored, ``again`` runs again, ``unknown`` is decided by a person or the step's ``rerun``."""

    DONE = "done"
    AGAIN = "again"
    UNKNOWN = "unknown"


_WELL: Final = frozenset({Status.OK, Status.CHANGED, Status.DETACHED})

KNOWN_END: Final = frozenset(
    {
        "ensure-not-reached",
        "ensure-test",
        "exit-code",
        "failed-when",
        "http-status",
        "killed-by-signal",
        "powershell-failed",
        "reboot-not-back",
        "reboot-not-down",
        "reboot-refused",
        "reboot-test",
        "until-not-held",
    }
)
"""Codes of failures that what ran told itself, or that somebody waited for, also where no exit code came with it."""


def classify(result: Result) -> Fate:
    """What becomes of an assignment that ended so.

    Done: ok, changed, detached, skipped for a neutral reason, and bad results that a rescue mended or that the author
    ignores: what came after them has counted them as good. Unknown: its status says so, or the script may have run and
    its end was not seen (a link that broke, a run stopped in the midst of it). Everything else runs again. A loop
    runs again as a whole; it is as its least known item.
    """
    if result.ignored or result.rescued:
        return Fate.DONE
    if result.items and result.status.bad:
        return Fate.UNKNOWN if any(map(_end_not_seen, result.items)) or _end_not_seen(result) else Fate.AGAIN
    if result.status in _WELL or (result.status is Status.SKIPPED and not result.held_back):
        return Fate.DONE
    return Fate.UNKNOWN if _end_not_seen(result) else Fate.AGAIN


def _end_not_seen(result: Result) -> bool:
    if result.status is Status.UNKNOWN:
        return True
    failure = result.failure
    if failure is None or not failure.may_have_run or result.status not in {Status.FAILED, Status.CANCELLED}:
        return False
    told = result.exit_code is not None or result.signal is not None or failure.code in KNOWN_END
    return not told and failure.phase != "decode" and not result.errors
