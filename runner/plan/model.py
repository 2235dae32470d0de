"""The plan: steps in an order, each placed on its hosts; everything execution needs, nothing it must look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.engine.shape import RunShape
from runner.playbook.bodies import Condition, ScriptText
from runner.playbook.model import Block, Playbook, Step
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.using.model import Scan, Shell
from runner.variables.scope import HostScopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A host in a step: how it is reached and spoken to. Shared by all steps with the same target.

    ``session`` is the kept interpreter's name, None for a new interpreter a step.
    ``interpreter`` None means the shell's own default program. ``session_idle_close`` in seconds, None is never.
    ``delegates``: where the body runs in this host's place (``delegate_to``), on each of them; empty is on the host.
    ``session_label`` is the name a WinRM host is told (``name`` of the session), None for the session's own.
    """

    host: str
    endpoint: Endpoint
    shell: Shell
    interpreter: str | None = None
    session: str | None = None
    session_on_loss: str = "fail"
    session_reset: str = "never"
    session_idle_close: float | None = None
    session_label: str | None = None
    cancel_timeout: float = 10.0
    close_timeout: float | None = None
    delegates: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedScript:
    """A script ready to be bound to values: its text, its shell and what the scan found in it."""

    script: ScriptText
    shell: Shell
    scan: Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step with its placements in the order they start; ``scripts`` holds the script for each shell it meets.

    ``scripts_of`` has the scripts that stand elsewhere than in ``script``, by their place: ``ensure.test``,
    ``ensure.set``, ``reboot.test``, ``wait_for.that``, ``gate.that``. ``seen_by`` are the hosts that see the result
    of a ``run_once`` step; empty for every other. ``by_host`` has the step as it is on each host where its limits come
    of the host's own variables; empty for every other.
    """

    index: int
    step: Step
    placements: tuple[Placement, ...]
    scripts: Mapping[Shell, PreparedScript] = field(default_factory=dict)
    scripts_of: Mapping[str, Mapping[Shell, PreparedScript]] = field(default_factory=dict)
    seen_by: tuple[str, ...] = ()
    by_host: Mapping[str, Step] = field(default_factory=dict)

    def on(self, host: str) -> PlannedStep:
        """The planned step with what is said for a host."""
        step = self.by_host.get(host)
        return self if step is None else replace(self, step=step)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlock:
    """A block with the numbers its junctions have in the shape (they follow those of the steps).

    ``placements`` are its hosts in the order they start; they have the block's own position, and reach each host as its
    first step there does. ``steps`` are the indexes of the steps in it, of inner blocks too.
    """

    block: Block
    entry: int
    end: int
    rescue: int | None
    always: int | None
    placements: tuple[Placement, ...]
    steps: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """A wave: its hosts, and seconds to wait after it."""

    hosts: tuple[str, ...]
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPolicy:
    """What stands behind the policy of the same number in the shape: the step or block, its waves, its health check.

    ``health_scripts`` is the check's script for each shell of its hosts.
    """

    name: str
    waves: tuple[PlannedWave, ...] = ()
    health: Condition | None = None
    health_scripts: Mapping[Shell, PreparedScript] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedPool:
    """A pool with the number of its counter in the shape."""

    name: str
    size: int
    counter: int
    adaptive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Exactly what a run does.

    Attributes:
        run: the run's id, e.g. ``2026-11-21T015000Z-7f3a``.
        now: the run's one instant, UTC.
        steps: in file order, those that selection leaves out dropped.
        hosts: every host of any step, in inventory order (``localhost`` included where a local step is).
        scopes: variables by host, lazily computed.
        shape: the same plan in numbers, for the engine.
        digest: SHA-256 over everything that decides what runs where.
        credentials_needed: names of the credentials the plan's endpoints and scripts use.
        blocks: inner ones after those around them.
        policies: in the order of ``shape.policies``.
        locked: hosts that are held on the controller for the whole run (``lock: run``).
        seed: what ``order_by: shuffle`` shuffled with; recorded, so that a resumed run has the same order.
        check: ``--check``: nothing is changed on any host.
        logins: those whose values the inventory or the command line gives, by names that no credential has.

    """

    run: str
    now: datetime
    playbook: Playbook
    steps: tuple[PlannedStep, ...]
    hosts: tuple[str, ...]
    scopes: HostScopes
    shape: RunShape
    digest: str
    credentials_needed: frozenset[str] = frozenset()
    logins: Mapping[str, Login] = field(default_factory=dict)
    timeout: float | None = None
    blocks: tuple[PlannedBlock, ...] = ()
    policies: tuple[PlannedPolicy, ...] = ()
    pools: tuple[PlannedPool, ...] = ()
    locked: frozenset[str] = frozenset()
    seed: int = 0
    check: bool = False
