"""Results that stay in the journal: as a dict has them, and read only when they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.result import Result, Status
from runner.errors import JournalError
from runner.journal.classify import Fate, classify
from runner.journal.recorded import Key, Recorded
from runner.journal.replay import replay
from runner.journal.store import RunDirectory
from runner.journal.writer import JournalWriter
from tests.unit.journal.samples import MOMENT, result, run_in

KEYS = st.tuples(st.sampled_from("abc"), st.sampled_from(["web1", "web2"]))
ACTS = st.lists(st.tuples(KEYS, st.sampled_from(["put", "leave", "discard", "discard step"])), max_size=30)


async def recorded_run(folder: Path, *results: Result) -> RunDirectory:
    """A run with these results."""
    directory = run_in(folder)
    async with JournalWriter(directory) as writer:
        for each in results:
            writer.ended(each.step, each.host, each)
    return directory


@given(ACTS, st.lists(st.sampled_from(Status), min_size=30, max_size=30))
def test_it_is_a_dict_of_results(acts: list[tuple[Key, str]], statuses: list[Status]) -> None:
    """Whatever is put in, left to the file and removed: the same keys in the same order, the same results."""
    lines: list[Result] = []
    found, expected = Recorded(read=lambda offset: lines[offset // 1_000]), dict[Key, Result]()
    for (key, act), status in zip(acts, statuses, strict=False):
        if act in {"put", "leave"}:
            one = result(*key, status)
            found.discard(key)
            expected.pop(key, None)
            found[key] = expected[key] = one
            lines.append(one)
            if act == "leave":
                found.leave(key, (len(lines) - 1) * 1_000)
        elif act == "discard":
            found.discard(key)
            expected.pop(key, None)
        else:
            found.discard_step(key[0])
            expected = {each: one for each, one in expected.items() if each[0] != key[0]}

    assert list(found.items()) == list(expected.items())
    assert len(found) == len(expected)
    for step in "abc":
        for host in ("web1", "web2"):
            known = expected.get((step, host))
            assert found.get((step, host)) == known
            assert ((step, host) in found) is (known is not None)
            assert found.done((step, host)) is (known is not None and classify(known) is Fate.DONE)
        assert set(found.hosts(step)) == {host for each, host in expected if each == step}


def test_a_result_in_the_place_of_another_has_its_place() -> None:
    """As the result of a block's step that is mended later."""
    found = Recorded({("a", "web1"): result(), ("a", "web2"): result(host="web2", status=Status.FAILED)})
    mended = result(rescued=True)

    found["a", "web1"] = mended

    assert list(found) == [("a", "web1"), ("a", "web2")]
    assert found["a", "web1"] is mended


def test_a_choice_has_what_was_chosen_and_what_is_put_in() -> None:
    """And what it is a choice of is as it was."""
    all_of_them = Recorded({("a", host): result(host=host) for host in ("web1", "web2", "web3")})
    chosen = all_of_them.choice()

    chosen.choose(("a", "web2"), all_of_them)
    chosen["a", "web3"] = result(host="web3", status=Status.UNKNOWN)

    assert dict(chosen) == {
        ("a", "web2"): result(host="web2"),
        ("a", "web3"): result(host="web3", status=Status.UNKNOWN),
    }
    assert (chosen.done(("a", "web2")), chosen.done(("a", "web3"))) == (True, False)
    assert [each.status for each in all_of_them.values()] == [Status.OK] * 3
    with pytest.raises(KeyError):
        chosen.choose(("b", "web1"), all_of_them)


async def test_results_of_a_journal_are_not_kept(tmp_path: Path) -> None:
    """A million of them would take as many megabytes as the run itself may; only what a rescue changed is kept."""
    directory = await recorded_run(
        tmp_path, result(output=["x" * 5_000]), result(host="web2", status=Status.FAILED)
    )
    async with JournalWriter(directory, utc=lambda: MOMENT) as writer:
        writer.rescued("block", "web2", ["a"])

    results = replay(directory.journal).results

    assert results["a", "web1"] == result(output=["x" * 5_000])
    assert results["a", "web1"] is not results["a", "web1"]
    assert results["a", "web2"].rescued
    assert [results.done(key) for key in results] == [True, True]
    assert replay(directory.journal, outputs=False).results["a", "web1"].output == []


async def test_what_is_written_meanwhile_does_not_change_what_was_read(tmp_path: Path) -> None:
    """A resumed run adds to the journal that it reads from."""
    directory = await recorded_run(tmp_path, result(), result("b"))
    results = replay(directory.journal).results
    async with JournalWriter(directory) as writer:
        writer.ended("a", "web1", result(status=Status.FAILED))

    assert [each.status for each in results.values()] == [Status.OK, Status.OK]


@pytest.mark.parametrize("change", [b"", b"\x00" * 4_000, b'{"type":"ended"}\n'])
async def test_a_journal_that_is_changed_meanwhile_is_told(tmp_path: Path, change: bytes) -> None:
    """Somebody wrote over it after it was replayed."""
    directory = await recorded_run(tmp_path, result())
    results = replay(directory.journal).results
    directory.journal.write_bytes(change)

    with pytest.raises(JournalError) as caught:
        results["a", "web1"]

    assert caught.value.code == "journal-damaged"


def test_a_line_that_is_no_result_is_told(tmp_path: Path) -> None:
    """Though it is a record."""
    directory = run_in(tmp_path)
    reading = directory.replay().results
    reading["a", "web1"] = result()
    reading.leave(("a", "web1"), 0)

    with pytest.raises(JournalError, match=r"the line at byte 0 of `.*` is not what it was"):
        reading["a", "web1"]
