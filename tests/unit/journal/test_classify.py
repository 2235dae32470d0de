"""What a resumed run does with a result."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from runner.codes import code_pages
from runner.engine.result import ErrorRecord, Failure, Result, Status
from runner.journal.classify import KNOWN_END, Fate, classify
from tests.unit.journal.samples import result, results

RAN = Failure("link-lost", "the link broke", may_have_run=True)
NOT_RUN = Failure("refused", "it did not connect", "connect")


@pytest.mark.parametrize(
    ("ended", "fate"),
    [
        (result(status=Status.OK), Fate.DONE),
        (result(status=Status.CHANGED), Fate.DONE),
        (result(status=Status.DETACHED), Fate.DONE),
        (result(status=Status.SKIPPED), Fate.DONE),
        (result(status=Status.SKIPPED, held_back=True), Fate.AGAIN),
        (result(status=Status.FAILED, failure=NOT_RUN), Fate.AGAIN),
        (result(status=Status.FAILED, failure=NOT_RUN, rescued=True), Fate.DONE),
        (result(status=Status.FAILED, failure=NOT_RUN, ignored=True), Fate.DONE),
        (result(status=Status.UNREACHABLE, failure=NOT_RUN), Fate.AGAIN),
        (result(status=Status.TIMED_OUT, failure=RAN), Fate.AGAIN),
        (result(status=Status.CANCELLED, failure=NOT_RUN), Fate.AGAIN),
        (result(status=Status.CANCELLED, failure=RAN), Fate.UNKNOWN),
        (result(status=Status.UNKNOWN), Fate.UNKNOWN),
        (result(status=Status.FAILED, failure=RAN), Fate.UNKNOWN),
        (result(status=Status.FAILED, failure=RAN, exit_code=2), Fate.AGAIN),
        (result(status=Status.FAILED, failure=RAN, signal="KILL"), Fate.AGAIN),
        (result(status=Status.FAILED, failure=RAN, errors=(ErrorRecord("x"),)), Fate.AGAIN),
        (result(status=Status.FAILED, failure=Failure("json", "x", "decode", may_have_run=True)), Fate.AGAIN),
        (result(status=Status.FAILED, failure=Failure("failed-when", "x", may_have_run=True)), Fate.AGAIN),
        (
            result(status=Status.FAILED, items=(result(status=Status.OK), result(status=Status.FAILED))),
            Fate.AGAIN,
        ),
        (
            result(status=Status.FAILED, items=(result(status=Status.FAILED, failure=RAN), result())),
            Fate.UNKNOWN,
        ),
        (result(status=Status.OK, items=(result(),)), Fate.DONE),
    ],
)
def test_each_end_has_its_fate(ended: Result, fate: Fate) -> None:
    """Good ends stay; what surely came to an end runs again; what may have run and was not seen to end is asked."""
    assert classify(ended) is fate


@given(results())
def test_what_is_restored_counts_as_good(ended: Result) -> None:
    """Otherwise a resumed run would hold back what the interrupted one had let go."""
    ended = replace(ended, held_back=ended.held_back and ended.status is Status.SKIPPED)  # no other is ever
    if classify(ended) is Fate.DONE:
        assert not ended.bad or ended.rescued
    else:
        assert ended.bad


def test_codes_of_known_ends_are_codes() -> None:
    """One that is renamed must be renamed here too, else a run asks about what it knows."""
    assert set(code_pages()) >= KNOWN_END
