"""What a resumed run takes of before: all that ended well, but for an `always` whose block goes on."""

from __future__ import annotations

from pathlib import Path

from runner.engine.result import Result, Status
from runner.execute.resumed import still_done
from tests.unit.execute.running import plan_of

BOOK = """\
version: 1
name: x
targets: {all: {hosts: [a, b]}}
steps:
  - id: outer
    target: all
    block:
      - {id: one, script: 'true'}
      - id: inner
        block:
          - {id: two, script: 'true'}
        always:
          - {id: tidy_inner, script: 'true'}
    rescue:
      - {id: mend, script: 'true'}
    always:
      - {id: tidy, script: 'true'}
  - {id: after, target: all, script: 'true'}
"""


def done(*steps: str, host: str = "a") -> dict[tuple[str, str], Result]:
    return {(step, host): Result(step=step, host=host, status=Status.OK) for step in steps}


def kept(folder: Path, before: dict[tuple[str, str], Result], host: str = "a") -> set[str]:
    return {step for step, where in still_done(plan_of(folder, BOOK), before) if where == host}


def test_an_always_follows_again_where_its_body_goes_on(tmp_path: Path) -> None:
    """The run was stopped in `two`, and both `always` ran after the stop: they run again, `one` does not."""
    before = done("one", "mend", "tidy_inner", "tidy")
    assert kept(tmp_path, before) == {"one", "mend"}


def test_an_inner_always_stays_done_where_only_the_outer_body_goes_on(tmp_path: Path) -> None:
    """`two` and its `always` are over for good; the outer `always` follows what is left of the outer body."""
    before = done("two", "mend", "tidy_inner", "tidy")
    assert kept(tmp_path, before) == {"two", "mend", "tidy_inner"}


def test_a_block_that_is_done_stays_done(tmp_path: Path) -> None:
    """Whatever is left after it; and one host's block is not the other's."""
    whole = done("one", "two", "mend", "tidy_inner", "tidy")
    other = done("one", "mend", "tidy", host="b")
    assert kept(tmp_path, whole | other) == {"one", "two", "mend", "tidy_inner", "tidy"}
    assert kept(tmp_path, whole | other, "b") == {"one", "mend"}


def test_without_blocks_everything_is_taken(tmp_path: Path) -> None:
    """It is the very same mapping."""
    plan = plan_of(tmp_path, "version: 1\nname: x\nsteps:\n  - {id: one, script: 'true'}\n")
    before = done("one", host="localhost")
    assert still_done(plan, before) is before
