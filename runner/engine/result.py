"""What became of an assignment, a host and a run: plain values that every later stage reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How an assignment ended (cli.md, "What is printed")."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    DETACHED = "detached"

    @property
    def bad(self) -> bool:
        """Whether it holds back what needs it (language.md, ``run_if``); skipped is judged by its reason."""
        return self in _BAD


_BAD = frozenset({Status.FAILED, Status.UNREACHABLE, Status.TIMED_OUT, Status.CANCELLED, Status.UNKNOWN})


WORST_FIRST = (
    Status.UNKNOWN,
    Status.FAILED,
    Status.TIMED_OUT,
    Status.UNREACHABLE,
    Status.CANCELLED,
    Status.CHANGED,
    Status.OK,
    Status.DETACHED,
    Status.SKIPPED,
)
"""The order in which one status of a host counts for more than another."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a result is bad, in the form of the message guide.

    ``phase``: ``plan``, ``connect``, ``open``, ``send``, ``execute`` or ``decode``. ``may_have_run``: whether the
    author's script may have run on the host, wholly or in part.
    """

    code: str
    message: str
    phase: str = "execute"
    may_have_run: bool = False
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error a script reported: PowerShell's error records, or the last lines of a failed script's stderr.

    Attributes:
        message: for a person: the record's details where it has some, else what its exception says.
        fully_qualified_error_id: ``PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand``.
        category: ``ObjectNotFound: (/nope:String) [Get-Item], ItemNotFoundException``.
        exception: names of the exception's types, the most derived first.
        line: in the script as it was sent, from 1.
        column: in that line, from 1.
        stack: the script's call stack, a line a frame.
        inner: the exceptions inside of it, the outer one first: ``System.Exception: what it says``.
        target: text of the object it was about.
        position: PowerShell's picture of the place: the line with marks under what failed.
        recommended_action: what the author of the command says to do about it.
        source: the place in the playbook or in the script's file: ``playbooks/site.yml:14``; by who knows both.

    """

    message: str
    fully_qualified_error_id: str | None = None
    category: str | None = None
    exception: tuple[str, ...] = ()
    line: int | None = None
    column: int | None = None
    stack: str | None = None
    inner: tuple[str, ...] = ()
    target: str | None = None
    position: str | None = None
    recommended_action: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Streams:
    """PowerShell's other streams, in the order they came; empty for sh, bash and python."""

    warnings: tuple[Any, ...] = ()
    verbose: tuple[Any, ...] = ()
    debug: tuple[Any, ...] = ()
    information: tuple[Any, ...] = ()
    progress: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What ``ensure`` or ``copy`` changed or would change: the two states, as values or as texts of many lines.

    ``path`` names a file where it is one. None in place of a state: it is not there.
    """

    before: Any = None
    after: Any = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one step did on one host (or one item of its loop there).

    Attributes:
        output: a list for ``lines``, ``jsonl`` and ``objects``; text for ``text``; any JSON value for ``json``;
            ``[]`` where nothing came.
        stderr: lines.
        duration: seconds from sending the body to its end; 0.0 where nothing was sent.
        skip_reason: why, for status skipped: one short sentence.
        held_back: skipped because something upstream is bad (the other skips are neutral).
        ignored: the step has ``ignore_errors`` (or ``unreachable: ignore``) and this bad result is taken as good by
            everything after it.
        rescued: the block it stands in went bad by it and its ``rescue`` mended that; set when the block is over.
        attempt: the last one, from 1.
        would_change: under ``--check`` it is not as it should be, and a run would change it (``changed`` is set too).
        difference: what changed or would change.
        waited: seconds it waited without working: for a retry, a lock, a gate, a host that comes back.
        items: results of the items of a ``loop``, in order.
        truncated: ``output`` holds only the beginning; all of it is in ``output_file``.
        session_lost: the kept interpreter ended with this step and its variables are gone.
        secret: the output held a secret (it is masked wherever it is shown).
        unseen: it began in an earlier part of the run, nobody saw its end, and it is taken for done: what it gave is
            not known.

    """

    step: str
    host: str
    status: Status
    changed: bool = False
    item: Any = None
    attempt: int = 1
    started_at: datetime | None = None
    duration: float = 0.0
    exit_code: int | None = None
    signal: str | None = None
    output: Any = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    errors: tuple[ErrorRecord, ...] = ()
    streams: Streams = Streams()
    failure: Failure | None = None
    skip_reason: str | None = None
    held_back: bool = False
    ignored: bool = False
    rescued: bool = False
    would_change: bool = False
    difference: Difference | None = None
    waited: float = 0.0
    transport: str | None = None
    session: str | None = None
    session_lost: bool = False
    truncated: bool = False
    output_file: str | None = None
    secret: bool = False
    unseen: bool = False
    items: tuple[Result, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether it counts against the run and what needs it; a rescue comes later and mends the block's end."""
        return (self.status.bad or self.held_back) and not self.ignored
