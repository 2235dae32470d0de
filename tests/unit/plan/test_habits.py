"""The words for members of results and names of Ansible stand for what there is."""

from __future__ import annotations

from dataclasses import replace

from runner.engine.result import Result, Status
from runner.execute.registry import view
from runner.plan.habits import MEMBERS, METHODS, NAMES, RESULT_MEMBERS, name_hint


def test_the_members_are_those_that_templates_read() -> None:
    """What the check knows of a result is what a run gives, of a loop too."""
    item = Result(step="s", host="h", status=Status.OK)
    assert set(view(replace(item, items=(item,)))) == RESULT_MEMBERS


def test_no_habit_is_a_member() -> None:
    """What is told to be missing is missing."""
    assert not MEMBERS.keys() & (RESULT_MEMBERS | METHODS)


def test_every_fact_of_ansible_is_answered() -> None:
    """Names that begin as its facts do get a hint; names that are near nothing of it get none."""
    assert all(name_hint(name) for name in (*NAMES, "ansible_distribution"))
    assert name_hint("weight") is None
