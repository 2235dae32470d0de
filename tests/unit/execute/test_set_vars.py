"""`set_vars` and `fail`: values and messages of the controller, for one host each."""

from __future__ import annotations

from pathlib import Path

from runner.engine.result import Status
from tests.unit.execute.alone import do

HEAD = "targets: {all: {hosts: [a, b]}}\n"


async def test_values_are_typed_and_the_hosts_own(tmp_path: Path) -> None:
    """What an expression gives is kept with its type, for the host alone; nothing is changed or sent."""
    steps = (
        "- {id: set, target: all, set_vars: {twice: '{{ number * 2 }}', some: [1, '{{ number }}']}}\n"
        "- {id: x, target: all, script: 'echo $Using:more', using: {more: '{{ twice + some[1] }}'}}\n"
    )
    done = await do(tmp_path, steps, head=HEAD)
    assert done.result("set").output == {"twice": 2, "some": [1, 1]}
    assert (done.result("set").status, done.result("set").transport) == (Status.OK, None)
    assert [done.result("x", host).output for host in "ab"] == [["3"], ["6"]]


async def test_the_last_one_counts(tmp_path: Path) -> None:
    """A later step sets the same name anew, and may read what it was."""
    steps = (
        "- {id: one, target: all, set_vars: {n: '{{ number }}'}}\n"
        "- {id: two, target: all, set_vars: {n: '{{ n + 10 }}'}}\n"
    )
    done = await do(tmp_path, steps, head=HEAD)
    assert [done.result("two", host).output for host in "ab"] == [{"n": 11}, {"n": 12}]


async def test_a_template_that_fails_fails_the_host(tmp_path: Path) -> None:
    """An error in an expression is told at its place, and sets nothing."""
    done = await do(tmp_path, "- {id: x, target: all, set_vars: {n: '{{ 1 / 0 }}'}}\n")
    assert done.result().status is Status.FAILED
    assert "playbook.yml:5" in done.message()


async def test_fail_fails_with_its_message(tmp_path: Path) -> None:
    """The author's message is the failure's, its templates evaluated for the host; `when` keeps others out."""
    steps = "- {id: x, target: all, when: number > 1, fail: 'number {{ number }} is too much'}\n"
    done = await do(tmp_path, steps, head=HEAD)
    assert done.result("x", "a").status is Status.SKIPPED
    assert (done.code("x", "b"), done.message("x", "b")) == ("fail-step", "number 2 is too much")
