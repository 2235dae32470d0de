"""Which hosts `@RUN:STATUS` means."""

from __future__ import annotations

import pytest

from runner.engine.result import Result, Status
from runner.runs.hosts import hosts_with

RESULTS = [
    Result(step="a", host="fine", status=Status.OK),
    Result(step="a", host="touched", status=Status.CHANGED, changed=True),
    Result(step="a", host="broken", status=Status.FAILED),
    Result(step="a", host="gone", status=Status.UNREACHABLE),
    Result(step="a", host="forgiven", status=Status.FAILED, ignored=True),
    Result(step="a", host="mended", status=Status.TIMED_OUT, rescued=True),
    Result(step="a", host="left", status=Status.SKIPPED),
    Result(step="b", host="fine", status=Status.SKIPPED),
    Result(step="b", host="touched", status=Status.OK),
    Result(step="b", host="broken", status=Status.SKIPPED, held_back=True),
    Result(step="b", host="gone", status=Status.FAILED),
]


@pytest.mark.parametrize(
    ("word", "hosts"),
    [
        ("ok", ["fine", "forgiven", "mended"]),
        ("changed", ["touched"]),
        ("failed", ["broken", "gone"]),
        ("unreachable", ["gone"]),
        ("timed_out", []),
        ("skipped", ["left"]),
        ("bad", ["broken", "gone"]),
    ],
)
def test_hosts_by_what_became_of_them(word: str, hosts: list[str]) -> None:
    """A bad status is every host that has it and was not forgiven; a good one those with nothing worse."""
    assert hosts_with(RESULTS, word) == hosts
