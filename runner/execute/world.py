"""What a run is given of the world: how hosts are reached, who watches, what keeps its record, who answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.credentials.redact import Redactor
from runner.engine.observe import Observer
from runner.engine.port import Clock, Recorder
from runner.execute.ports import ConnectGate, Gatekeeper, TargetLocks
from runner.transport.port import Login, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports of a run.

    Attributes:
        transports: by name, at least those of the plan's endpoints.
        logins: by the name of their credential.
        redactor: knows every secret that must not be shown.
        output_dir: where output is kept that is longer than memory should hold; None keeps none of it.
        diff: whether what changes is told with what was there before (``--diff``).
        recorder: the run's journal, None keeps none.
        gatekeeper: answers gates, None is nobody.
        connect_gate: how many connections are opened at once in adaptive pools, None for no limit but the pools' own.
        target_locks: locks on the hosts themselves, None where no step asks for one.

    """

    transports: Mapping[str, Transport]
    logins: Mapping[str, Login]
    observer: Observer
    clock: Clock
    redactor: Redactor = field(default_factory=Redactor)
    output_dir: Path | None = None
    diff: bool = False
    recorder: Recorder | None = None
    gatekeeper: Gatekeeper | None = None
    connect_gate: ConnectGate | None = None
    target_locks: TargetLocks | None = None
