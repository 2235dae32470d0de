"""A session has one shell: every script and command that runs in it on a host must be for the same one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.plan.model import PlannedStep
from runner.playbook.bodies import CommandBody, EnsureBody, ScriptBody
from runner.playbook.model import Step
from runner.problems import Problems
from runner.using.model import Shell


def check_session_shells(planned: Sequence[PlannedStep], problems: Problems) -> None:
    """Note each step whose shell is not the one that an earlier step has begun its session with."""
    first: dict[tuple[str, str], tuple[Step, Shell]] = {}
    for item in planned:
        step = item.step
        if not isinstance(step.body, ScriptBody | CommandBody | EnsureBody):
            continue
        for session, host, shell in _uses(item):
            other, begun = first.setdefault((session, host), (step, shell))
            if begun is not shell:
                node = step.node.get("shell")
                problems.error(
                    "session-shells",
                    f"session `{session}` has one shell: step `{other.id}` uses {begun}, step `{step.id}` {shell}",
                    node.span if node is not None else step.span,
                    f"say `shell: {begun}` here or on the target, or declare a second session on the same target",
                )
                break


def _uses(item: PlannedStep) -> Iterator[tuple[str, str, Shell]]:
    """Session, host and shell of each placement; where no host is known what the step says itself."""
    for placement in item.placements:
        if placement.session is not None:
            yield placement.session, placement.host, placement.shell
    if not item.placements and item.step.shell is not None:
        for named in item.step.sessions:
            yield named.text, "", item.step.shell
