"""The records of a journal, one a line; schemas/journal.schema.json describes them as they stand in the file.

The first record is the :class:`RunHeader`, the last one of a run that came to its end is :class:`Finished`. A resumed
run goes on in the same file, behind a :class:`Resumed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from runner import __version__
from runner.engine.observe import Summary
from runner.engine.result import Result
from runner.values import JsonValue

FORMAT: Final = 1
"""Version of the format; a reader takes no other. Every change that an older reader would get wrong raises it."""


APPLIED: Final = "plan_file"
"""The name under which options keep the plan file that a run applies; such a plan is older than its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line and the settings gave, as far as a resumed run needs it to make the same plan.

    Attributes:
        cwd: the working directory, which relative paths are relative to.
        inventory: as written, in order.
        extras: values of ``-e`` by name, those that are secret left out.
        secret_extras: their names; a resumed run must be given them again.
        throttle: None where none was given, 0 is unlimited.
        timeout: of the run, seconds.
        ask_password: the login's password was asked for and must be asked for again.
        more: further options by their long names, for those who know them.

    """

    cwd: str = "."
    inventory: tuple[str, ...] = ()
    limit: str | None = None
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    start_at: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    secret_extras: tuple[str, ...] = ()
    throttle: int | None = None
    timeout: float | None = None
    check: bool = False
    credential: str | None = None
    user: str | None = None
    shell: str | None = None
    certificates: str | None = None
    ask_password: bool = False
    more: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepCount:
    """A step of the plan and how many hosts it has."""

    id: str
    hosts: int
    name: str | None = None


Digests: TypeAlias = Mapping[str, Mapping[str, str]]
"""SHA-256 in hex by kind (``playbook``, ``script``, ``inventory``, ``inputs``) and by path or name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """The first line: what is run, from what, by whom; everything that ``resume`` makes the plan again from.

    Attributes:
        run: the run's id.
        playbook: its name; ``path`` as it was given.
        started_at: when the run began, ``now`` the instant that its expressions see; both UTC.
        plan: digest of the plan.
        digests: of everything that was read for the plan.
        steps: in the plan's order.
        hosts: how many distinct ones.
        seed: what ``order_by: shuffle`` shuffles with.
        pid: of the process that runs it, on ``machine``, started by ``user``.
        version: of the runner.
        format: :data:`FORMAT`.

    """

    run: str
    playbook: str
    path: str
    started_at: datetime
    now: datetime
    plan: str
    options: RunOptions = RunOptions()
    digests: Digests = field(default_factory=dict)
    steps: tuple[StepCount, ...] = ()
    hosts: int = 0
    seed: int = 0
    pid: int = 0
    machine: str = ""
    user: str = ""
    version: str = __version__
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Started:
    """A host is about to be acted on: attempts count from 1, items of a loop from 0."""

    step: str
    host: str
    attempt: int
    item: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """An assignment is over."""

    result: Result
    at: datetime

    @property
    def step(self) -> str:
        """Its step's id."""
        return self.result.step

    @property
    def host(self) -> str:
        """Its host's name."""
        return self.result.host


@dataclass(frozen=True, slots=True)
class WavePassed:
    """A wave's pause and health are done; waves count as the engine counts them."""

    step: str
    wave: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicyBroke:
    """A policy stopped a step, or the run (None)."""

    step: str | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rescued:
    """A block went bad on a host and was mended; ``steps`` are those whose bad results there count no more."""

    block: str
    host: str
    steps: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something a person was told."""

    message: str
    at: datetime
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A gate was answered; ``who`` is a user's name, ``default`` or ``timeout``."""

    step: str
    go: bool
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was asked to stop before its end: ``Ctrl-C``, a signal, its timeout."""

    reason: str
    at: datetime


class Choice(StrEnum):
    """What a resumed run does with an assignment of which nobody knows whether it ran."""

    RERUN = "rerun"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice for one assignment; ``rerun`` of one that ended well has it run again."""

    step: str
    host: str
    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Another process goes on with the run from here.

    Attributes:
        decisions: on what was unknown.
        changed: what has changed since, as a person was told it (``--allow-changed``).
        rerun: steps that run again although they were done (``--rerun``).
        plan: the new plan's digest, where it is another one; ``digests``, ``steps`` and ``hosts`` likewise.

    """

    at: datetime
    pid: int = 0
    machine: str = ""
    user: str = ""
    version: str = __version__
    decisions: tuple[Decision, ...] = ()
    changed: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    plan: str | None = None
    digests: Digests | None = None
    steps: tuple[StepCount, ...] | None = None
    hosts: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The process came to its end in order; nothing follows but ``Resumed``."""

    summary: Summary
    at: datetime


Record: TypeAlias = (
    RunHeader
    | Started
    | Ended
    | WavePassed
    | PolicyBroke
    | Rescued
    | Noticed
    | Answered
    | Stopped
    | Resumed
    | Finished
)
