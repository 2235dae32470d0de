"""``retry`` as numbers: whether a result is repeated, and after how long. Pure; chance is handed in."""

from __future__ import annotations

from collections.abc import Callable

from runner.document.nodes import Scalar
from runner.engine.result import Result, Status
from runner.playbook.control import Retry

LONGEST_DELAY = 366 * 86_400.0
"""Seconds: a delay that has grown beyond a year is a year; ``backoff`` to a high power is more than a timer takes."""

_NEVER = frozenset({Status.CANCELLED, Status.SKIPPED, Status.UNKNOWN, Status.DETACHED})


def repeatable(result: Result) -> bool:
    """Whether another attempt could end otherwise: it ran or was tried, and nobody stopped it.

    A failure of phase ``plan`` is one of templates and values on the controller, which would be the same again.
    """
    failure = result.failure
    return result.status not in _NEVER and not (failure is not None and failure.phase == "plan")


def next_delay(
    retry: Retry,
    attempt: int,
    result: Result,
    random: Callable[[], float],
    holds: Callable[[Scalar], bool] = lambda _: False,
) -> float | None:
    """Seconds until the next attempt, None where this result stays.

    ``attempt`` is the one that has just ended, from 1. ``random`` gives numbers from 0 to below 1, ``holds`` says
    whether an expression of ``on`` is true of the result; it is asked last, and only of a bad one.
    """
    if attempt >= retry.attempts or not result.status.bad or not repeatable(result):
        return None
    known = str(result.status) in retry.statuses or (
        result.failure is not None and result.failure.code in retry.codes
    )
    if not known and not any(holds(expression) for expression in retry.that):
        return None
    return delay_after(retry, attempt, random)


def delay_after(retry: Retry, attempt: int, random: Callable[[], float]) -> float:
    """Seconds between an attempt and the next: ``delay`` grown by ``backoff``, shaken by ``jitter``, then cut off."""
    try:
        grown = retry.delay * retry.backoff ** (attempt - 1)
    except OverflowError:
        grown = LONGEST_DELAY
    shaken = grown * (1 + retry.jitter * (2 * random() - 1))
    longest = LONGEST_DELAY if retry.max_delay is None else min(retry.max_delay, LONGEST_DELAY)
    return max(0.0, min(shaken, longest))
