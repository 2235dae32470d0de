"""What is asked of a runspace pool: a pipeline, its input, and who takes what comes of it. Plain values and ports."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command: by position where ``name`` is None. ``value`` comes from ``to_ps``."""

    value: Any
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a pipeline, or a script where ``is_script``.

    ``use_local_scope`` None runs a script in the scope of the session, as Invoke-Command does; True in its own.
    """

    text: str
    is_script: bool = False
    arguments: tuple[Argument, ...] = ()
    use_local_scope: bool | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """Commands that are piped into each other."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRequest:
    """One pipeline: statements that run one after another in one CREATE_PIPELINE; the last is the author's.

    Attributes:
        statements: at least one.
        input: values from ``to_ps`` for the pipeline's input; None says that there is none (``NoInput``).
        needs_key: a value holds a secure string, so the session key is exchanged first.
        pipeline: the id; None makes one. Given by tests that compare bytes.
        invocation_info: ask for positions in warning, verbose and debug records too (remoting.md 2.4).

    """

    statements: tuple[Statement, ...]
    input: Iterable[Any] | AsyncIterable[Any] | None = None
    needs_key: bool = False
    pipeline: UUID | None = None
    invocation_info: bool = False


class RecordKind(StrEnum):
    """The streams beside output."""

    ERROR = "error"
    WARNING = "warning"
    VERBOSE = "verbose"
    DEBUG = "debug"
    INFORMATION = "information"
    PROGRESS = "progress"


class PipelineReceiver(Protocol):
    """Takes what a pipeline sends, in order over all streams. Must not block and must not raise."""

    def output_received(self, value: Any) -> None:
        """Take one output object as psrpcore gives it (``from_ps`` reads it)."""

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """Take one record as psrpcore gives it (``runner.psrp.records`` reads it)."""


class PipelineState(StrEnum):
    """How a pipeline ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PipelineEnd:
    """The end of a pipeline.

    ``error`` is psrpcore's ErrorRecord of a failed or stopped one; ``exit_code`` the number of ``exit N`` (a host
    call, SetShouldExit), None where the script did not exit.
    """

    state: PipelineState
    error: Any = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How a pool is opened and what it may send us.

    Attributes:
        peer: what the other side is called in messages: "PowerShell on `web1`".
        pool: the id; None makes one.
        application_arguments: for ``$PSSenderInfo.ApplicationArguments``; values from ``to_ps``.
        open_timeout: seconds for starting the peer until the pool is opened (PowerShell: 180).
        cancel_timeout: seconds for a stop, and for a close (PowerShell: 60).
        late_timeout: seconds in which a peer that is reached again must say whether a pipeline has ended, and then in
            which it must bring the rest of one that has.
        maximum_object_size: bytes of one received object; None is no limit (remoting.md 3.1).
        maximum_data_size: bytes received for one pipeline; None is no limit.

    """

    peer: str = "the host's PowerShell"
    pool: UUID | None = None
    application_arguments: Mapping[str, Any] = field(default_factory=dict)
    open_timeout: float = 180.0
    cancel_timeout: float = 60.0
    late_timeout: float = 10.0
    maximum_object_size: int | None = 200 * 1024 * 1024
    maximum_data_size: int | None = None
