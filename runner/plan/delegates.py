"""``delegate_to``: the body of a host's step runs on others in its place (language.md, "Values of the short keys")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.plan.place import Placed, Placer
from runner.playbook.check import LOCAL
from runner.playbook.model import Playbook, Step
from runner.playbook.read import scalars_of
from runner.problems import Problems


def delegated(
    step: Step, placed: Sequence[Placed], playbook: Playbook, placer: Placer, problems: Problems
) -> tuple[Placed, ...]:
    """The hosts of the step, each with its delegates, which are the same for all; as they are where there are none.

    A delegate is reached as it says itself, whatever ``connection`` the step says of its own hosts; the step's
    ``shell`` is nearer than the delegate's.
    """
    if step.delegate_to is None:
        return tuple(placed)
    if step.sessions:
        problems.error(
            "delegate-session",
            f"step `{step.id}`: `delegate_to` does not go with `session`: the session is kept on the host itself",
            step.delegate_to.span,
            "write `target:` in the place of `session:`, or leave `delegate_to` out",
        )
        return tuple(placed)
    found: dict[str, Placed] = {}
    told = len(problems)
    for written in scalars_of(step.delegate_to):
        named = written.text == LOCAL or written.text in playbook.targets
        who = replace(
            step,
            targets=(written,) if named else (),
            hosts=None if named else written,
            connection={},
            delegate_to=None,
        )
        for item in placer.place(who, unlimited=True):
            found.setdefault(item.placement.host, item)
    if not found and len(problems) == told:
        problems.error(
            "delegate-without-hosts",
            f"step `{step.id}`: `delegate_to` names no host",
            step.delegate_to.span,
            "write a target of the playbook, a host or a pattern that holds a host",
        )
    delegates = tuple(found.values())
    placements = tuple(item.placement for item in delegates)
    return tuple(
        replace(item, placement=replace(item.placement, delegates=placements), delegates=delegates)
        for item in placed
    )
