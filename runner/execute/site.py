"""Where an attempt happens: the step, the host, its variables, and what of the run it may use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from runner.credentials.redact import Redactor
from runner.engine.observe import DeadlineSet, Observer
from runner.engine.port import Clock, Turn
from runner.execute.bodies.fetch import Claims
from runner.execute.bodies.questions import Questions
from runner.execute.bodies.source_files import SourceFiles
from runner.execute.connections import Connections
from runner.execute.guard import Guard
from runner.execute.patience import Patience
from runner.execute.ports import Gatekeeper, TargetLocks
from runner.execute.scopes import Item
from runner.execute.sessions import Sessions
from runner.plan.model import Placement, PlannedStep
from runner.transport.port import Link, Login
from runner.using.model import Shell
from runner.variables.compile import Compiler
from runner.variables.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What all attempts of a run share.

    ``output_dir`` is where long output is kept, None keeps none of it. ``check``: nothing is changed on any host
    (``--check``). ``diff``: what changes is told with what was there before (``--diff``). ``run`` is the run's id.
    ``questions`` are those that gates have asked. ``lock`` is what the playbook says for steps that say nothing.
    ``stopped`` says, when something is cancelled, whether the whole run is, and not only a step for another host.
    """

    now: datetime
    compiler: Compiler
    connections: Connections
    sessions: Sessions
    logins: Mapping[str, Login]
    patience: Patience
    redactor: Redactor
    observer: Observer
    clock: Clock
    output_dir: Path | None = None
    sources: SourceFiles = field(default_factory=SourceFiles)
    claims: defaultdict[int, Claims] = field(default_factory=lambda: defaultdict(Claims))
    run: str = ""
    check: bool = False
    diff: bool = False
    gatekeeper: Gatekeeper | None = None
    lock: str | None = None
    target_locks: TargetLocks | None = None
    stopped: Callable[[], bool] = lambda: True
    questions: Questions = field(default_factory=Questions)

    def stop(self) -> tuple[str, str]:
        """For what was cancelled: the failure's code, and who was stopped in words."""
        if self.stopped():
            return "run-stopped", "the run was stopped"
        return "step-stopped", "the step was stopped because another host failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One attempt: a step, or one item of its loop, on a host.

    ``turn`` is its right to work, given back while it waits; ``again`` makes ``scope`` anew, with what other steps
    have registered since. None of either: nothing is given back, and the scope stays as it is. ``number`` is the
    attempt's, from 1. ``aside`` names what runs beside the step's own body on its host: ``health``, a delegate.
    """

    planned: PlannedStep
    placement: Placement
    scope: Scope
    guard: Guard
    services: Services
    item: Item | None = None
    number: int = 1
    aside: str | None = None
    turn: Turn | None = None
    again: Callable[[], Scope] | None = None

    async def link(self) -> Link:
        """The connection to the place, opened now where there is none.

        Raises:
            Unreachable: it could not be opened.

        """
        endpoint, connections = self.placement.endpoint, self.services.connections
        opening = not connections.is_open(endpoint)
        if opening:
            self.enter_phase("connect", endpoint.connect_timeout)
        link = await connections.lease(endpoint)
        if opening:
            limit = (
                endpoint.connect_timeout if endpoint.transport == "ssh" else None
            )  # what a command's start may take
            self.enter_phase("open", endpoint.session_options.open_timeout or limit)
        return link

    @property
    def own_pool(self) -> bool:
        """Whether a runspace pool is opened for this attempt alone, and closed after it."""
        return self.placement.shell is Shell.POWERSHELL and self.placement.session is None

    def enter_phase(self, phase: str, seconds: float | None) -> None:
        """Tell that the attempt is in a phase that may take so many seconds, None for no limit."""
        now = self.services.clock.utc()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        event = DeadlineSet(self.planned.step.id, self.placement.host, phase, now, until)
        self.services.observer.on_event(event)

    @property
    def spool(self) -> Path | None:
        """The directory of this attempt's long output."""
        if self.services.output_dir is None:
            return None
        directory = self.services.output_dir / self.planned.step.id / _file_name(self.placement.host)
        if self.item is not None:
            directory /= str(self.item.index)
        if self.aside is not None:
            directory /= f"on-{_file_name(self.aside)}"
        return directory if self.number == 1 else directory / f"attempt-{self.number}"


def _file_name(host: str) -> str:
    return host.replace("/", "_").replace("\0", "_").strip(".") or "_"
