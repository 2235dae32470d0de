"""How steps are ordered, repeated, limited and grouped: the values of a step's control keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runner.document.nodes import AnyNode, Scalar
from runner.values import Span


class Wait(StrEnum):
    """How an edge of ``needs`` holds: by host where possible, for all hosts, or by host only."""

    AUTO = "auto"
    ALL = "all"
    SAME = "same"


class RunIf(StrEnum):
    """What must be true of everything upstream."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of ``needs``."""

    step: str
    wait: Wait
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    """``loop``: what to go over (an expression scalar or a node that gives a list) and how many at once.

    ``item`` and ``index`` are further names under which an item and its place, from 0, are known.
    """

    over: AnyNode
    throttle: int | None = None
    item: str | None = None
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many hosts may go bad: a number, or a percent of the hosts it is asked of (rounded down)."""

    amount: float
    percent: bool
    span: Span

    def of(self, hosts: int) -> int:
        """The number for so many hosts."""
        return int(hosts * self.amount / 100) if self.percent else int(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often an attempt is repeated (``until`` repeats as well, by the same numbers).

    Attributes:
        attempts: in all, at least 1.
        delay: seconds before the second attempt.
        backoff: what the delay is multiplied with after each further one.
        jitter: share of the delay, 0 to 1, that chance takes away or adds.
        max_delay: seconds that no delay exceeds, None is no limit.
        statuses: of results that are repeated.
        codes: of failures that are repeated, whatever their status.
        that: expressions, any of which repeats a bad result.

    """

    attempts: int = 3
    delay: float = 5.0
    backoff: float = 1.0
    jitter: float = 0.0
    max_delay: float | None = None
    statuses: frozenset[str] = frozenset({"failed", "unreachable", "timed_out"})
    codes: frozenset[str] = frozenset()
    that: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Late:
    """``unreachable: {retry_after, give_up_after}``: seconds between tries, and in all."""

    retry_after: float
    give_up_after: float


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave as written: a number or percent of hosts (``size``), or those of a ``pattern``. ``pause`` in seconds."""

    span: Span
    size: Tolerance | None = None
    pattern: Scalar | None = None
    max_fail: Tolerance | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How many tokens of a pool one assignment takes."""

    name: str
    weight: int
    span: Span


@dataclass(frozen=True, slots=True)
class Pool:
    """A named limit. ``adaptive``: fewer connections are opened at once while they get slower or fail; never more."""

    name: str
    size: int
    span: Span
    adaptive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Limits in seconds where nothing nearer says one (docs/reference/deadlines.md has what happens at each)."""

    connect: float | None = None
    open: float | None = None
    step: float | None = None
    run: float | None = None
    gate: float | None = None
    close: float | None = None


class Part(StrEnum):
    """Where in a block a step stands."""

    BODY = "block"
    RESCUE = "rescue"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """In which block, and in which part of it, a step or an inner block stands."""

    block: str
    part: Part


@dataclass(frozen=True, slots=True)
class Later:
    """A key of the language that this version does not act on; refused at plan time by name."""

    key: str
    span: Span
