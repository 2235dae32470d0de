"""Which steps of a playbook are meant: tags, ``--only`` and ``--start-at``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.playbook.model import Step
from runner.problems import Problems, suggestion

ALWAYS, NEVER = "always", "never"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line selects; empty means everything."""

    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    start_at: str | None = None


def chosen_steps(steps: Sequence[Step], choice: Choice, problems: Problems) -> frozenset[str]:
    """The ids of the steps that run.

    As in Ansible a step tagged ``always`` runs unless that tag itself is skipped, and one tagged ``never`` runs only
    where one of its tags is asked for.
    """
    ids = [step.id for step in steps]
    for name in (*choice.only, *((choice.start_at,) if choice.start_at else ())):
        if name not in ids:
            problems.error("unknown-step", f"no step is named `{name}`", None, *suggestion(name, ids))
    known_tags = {tag for step in steps for tag in step.tags} | {"all", "tagged", "untagged", ALWAYS, NEVER}
    for tag in (*choice.tags, *choice.skip_tags):
        if tag not in known_tags:
            problems.error(
                "unknown-step-tag", f"no step has the tag `{tag}`", None, *suggestion(tag, known_tags)
            )
    start = ids.index(choice.start_at) if choice.start_at in ids else 0
    return frozenset(
        step.id
        for position, step in enumerate(steps)
        if position >= start and (not choice.only or step.id in choice.only) and _by_tags(step.tags, choice)
    )


def _by_tags(tags: frozenset[str], choice: Choice) -> bool:
    special = tags | {"all"} | ({"tagged"} if tags else {"untagged"})
    asked = bool(special & set(choice.tags))
    if special & set(choice.skip_tags):
        return False
    if NEVER in tags:
        return bool(tags & set(choice.tags))
    return not choice.tags or asked or ALWAYS in tags
