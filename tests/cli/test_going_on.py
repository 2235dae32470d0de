"""How to go on is told where something is left to do, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import Typed

BOOK = """\
version: 1
name: settled
steps: [{id: there, ensure: {test: 'test -e PLACE || exit 1', set: 'exit 3'}}]
"""


def test_a_difference_leaves_nothing_to_go_on_with(typed: Typed, folder: Path) -> None:
    """`--check` that finds one has done all it was asked to; a run that cannot `set` has not."""
    (folder / "settled.yml").write_text(BOOK.replace("PLACE", str(folder / "missing")), encoding="utf-8")
    checked, failed = typed("run", "settled.yml", "--check"), typed("run", "settled.yml")

    assert (checked.code, "resume with" in checked.err) == (5, False)
    assert (failed.code, "resume with" in failed.err) == (1, True)
