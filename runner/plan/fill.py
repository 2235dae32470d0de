"""What the playbook says for all steps that say nothing nearer: deadlines and locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.playbook.bodies import GateBody, RebootBody, WaitForBody
from runner.playbook.model import Playbook, Step

_WITH_LIMITS = (GateBody, WaitForBody, RebootBody)
"""Bodies that wait by their nature, each with a ``timeout`` of its own."""


def filled(playbook: Playbook, steps: Sequence[Step]) -> list[Step]:
    """The steps with the playbook's ``deadlines`` (``step`` and ``gate``) and its ``lock: target``.

    The other deadlines are those of connections, placements and the run. A step on the controller is not locked by a
    word that was said for all.
    """
    return [_filled(playbook, step) for step in steps]


def _filled(playbook: Playbook, step: Step) -> Step:
    deadlines = playbook.deadlines
    if isinstance(step.body, GateBody) and step.body.timeout is None and deadlines.gate is not None:
        step = replace(step, body=replace(step.body, timeout=deadlines.gate))
    if step.timeout is None and deadlines.step is not None and not isinstance(step.body, _WITH_LIMITS):
        step = replace(step, timeout=deadlines.step)
    if step.lock is None and playbook.lock == "target" and (step.targets or step.sessions or step.hosts):
        step = replace(step, lock="target")
    return step
