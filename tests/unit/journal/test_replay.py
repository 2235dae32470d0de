"""What a journal says when it is read again: torn, damaged, foreign, resumed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.engine.result import Failure, Status
from runner.errors import ExitCode, JournalError
from runner.journal import record as rec
from runner.journal.classify import Fate, classify
from runner.journal.lines import line_of
from runner.journal.reader import JournalReader, read_tail
from runner.journal.replay import History, replay
from tests.unit.journal.samples import MOMENT, header, result, summary

CUT = Failure("link-lost", "the link broke", may_have_run=True)
STORY: tuple[rec.Record, ...] = (
    header(),
    rec.Started("a", "web1", 1, None, MOMENT),
    rec.Started("a", "web2", 1, None, MOMENT),
    rec.Ended(result("a", "web1", output=["größe"]), MOMENT),
    rec.Noticed("web2 waits", MOMENT, "web2"),
    rec.Started("a", "web2", 2, None, MOMENT),
    rec.Ended(result("a", "web2", Status.FAILED, failure=CUT), MOMENT),
    rec.WavePassed("a", 0, MOMENT),
    rec.Answered("gate", True, "ops", MOMENT),
    rec.Started("b", "web1", 1, None, MOMENT),
    rec.Rescued("block", "web2", ("a",), MOMENT),
    rec.PolicyBroke("b", "too many", MOMENT),
    rec.Stopped("Ctrl-C", MOMENT),
    rec.Finished(summary(stopped_because="Ctrl-C", exit_code=130), MOMENT),
)


def journal(folder: Path, records: Iterable[rec.Record], tail: bytes = b"") -> Path:
    """A journal's file; long outputs are in its spool."""
    path = folder / "journal.jsonl"
    lines = [line_of(record) for record in records]
    path.write_bytes(b"".join(line.data for line in lines) + tail)
    for blob in (blob for line in lines for blob in line.blobs):
        file = folder / "spool" / blob.digest[:2] / blob.digest[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(blob.data)
    return path


def told(records: Iterable[rec.Record]) -> History:
    """The history of records, by the reader's own rules."""
    first, *others = records
    assert isinstance(first, rec.RunHeader)
    history = History(first)
    for record in others:
        history.take(record)
    return history


def test_a_whole_journal_is_known_whole(tmp_path: Path) -> None:
    """Results, what nobody knows, waves, answers, policies, notices and the end."""
    history = replay(journal(tmp_path, STORY))

    assert history.header == STORY[0]
    assert list(history.results) == [("a", "web1"), ("a", "web2")]
    assert history.results["a", "web1"].output == ["größe"]
    assert history.results["a", "web2"].rescued
    assert history.unknown == {("b", "web1"): STORY[9]}
    assert (history.waves, set(history.answers)) == ({("a", 0)}, {"gate"})
    assert [each.reason for each in history.policies] == ["too many"]
    assert [each.block for each in history.rescued] == ["block"]
    assert [each.message for each in history.notices] == ["web2 waits"]
    assert (history.stopped, history.finished) == (
        STORY[12],
        summary(stopped_because="Ctrl-C", exit_code=130),
    )
    assert (history.torn, history.resumed, history.damaged, history.last_at) == (False, 0, (), MOMENT)


def test_an_end_that_nobody_saw_is_unknown(tmp_path: Path) -> None:
    """The result says so; it is there for a person to read, and the last start with it."""
    history = replay(journal(tmp_path, STORY[:7]))

    assert history.unknown == {("a", "web2"): STORY[5]}
    assert classify(history.results["a", "web2"]) is Fate.UNKNOWN


def test_a_journal_torn_anywhere_says_what_was_whole(tmp_path: Path) -> None:
    """At every byte: nothing is invented, nothing whole is lost, and torn is what has half a line at its end."""
    data = journal(tmp_path, STORY).read_bytes()
    lines = data.splitlines(keepends=True)
    path = tmp_path / "journal.jsonl"
    for size in range(len(lines[0]), len(data) + 1):
        path.write_bytes(data[:size])
        whole = data[:size].count(b"\n")

        history = replay(path)

        expected = told(STORY[:whole])
        expected.torn = not data[:size].endswith(b"\n")
        assert history == expected
        last, end = read_tail(path)
        assert (type(last), end) == (type(STORY[whole - 1]), sum(map(len, lines[:whole])))


def test_a_journal_without_a_whole_header_is_damaged(tmp_path: Path) -> None:
    """The store never leaves one behind, so that it is no crash of ours."""
    line = line_of(header()).data
    for size in range(len(line)):
        (tmp_path / "journal.jsonl").write_bytes(line[:size])

        with pytest.raises(JournalError) as caught:
            replay(tmp_path / "journal.jsonl")
        assert caught.value.code == "journal-damaged"


@pytest.mark.parametrize("tail", [b"\x00" * 300, b"\x00\x00\n", b'{"type":"started"}\n', b"\xff\n"])
def test_rubbish_at_the_end_is_torn(tmp_path: Path, tail: bytes) -> None:
    """A power cut can leave a last line that has an end and no sense."""
    history = replay(journal(tmp_path, STORY[:5], tail))

    assert history.torn
    assert len(history.results) == 1
    assert read_tail(tmp_path / "journal.jsonl")[0] == STORY[4]


def test_a_damaged_line_is_told_with_its_number(tmp_path: Path) -> None:
    """What it said may decide what must not run twice, so nothing goes on by itself."""
    path = journal(tmp_path, STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b'{"type":"ended",\x00\n'
    path.write_bytes(b"".join(lines))

    with pytest.raises(
        JournalError, match=r"journal.jsonl:4: .*damaged.*3 lines before it can be read"
    ) as caught:
        replay(path)
    assert (caught.value.code, caught.value.exit_code) == ("journal-damaged", ExitCode.STOPPED)

    history = replay(path, recover=True)
    assert history.damaged == (4,)
    assert ("a", "web1") in history.unknown  # its end is what was damaged
    assert history.finished is not None


def test_several_damaged_lines_are_all_left_out(tmp_path: Path) -> None:
    """Behind one another too, and what comes after them is read."""
    path = journal(tmp_path, STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3:5] = [b"\x00\n", b"x\n", b"\n"]
    path.write_bytes(b"".join(lines))

    history = replay(path, recover=True)

    assert history.damaged == (4, 5, 6)
    assert not history.torn
    assert history.finished is not None


def test_an_output_that_is_gone_is_damage(tmp_path: Path) -> None:
    """A resumed run would give its readers nothing in its place; a list of hosts does not need it."""
    path = journal(
        tmp_path, (*STORY[:3], rec.Ended(result("a", "web1", output="x" * 5_000), MOMENT), *STORY[4:])
    )
    assert len(replay(path).results["a", "web1"].output) == 5_000
    (spooled,) = (file for file in (tmp_path / "spool").rglob("*") if file.is_file())

    for breaking in (lambda: spooled.write_bytes(b'"y"'), spooled.unlink):
        breaking()
        with pytest.raises(JournalError, match=r"journal\.jsonl:4: .*spool/"):
            replay(path)
    assert replay(path, outputs=False).results["a", "web1"].output == []


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_a_foreign_version_is_refused(tmp_path: Path, number: object) -> None:
    """With the version of the runner that wrote it, which is the one that can go on with it."""
    written = json.loads(line_of(header()).data) | {"format": number, "version": "9.1", "new": 1}
    (tmp_path / "journal.jsonl").write_text(json.dumps(written) + "\n", encoding="utf-8")

    with pytest.raises(JournalError, match=r"version 9\.1 of the runner") as caught:
        replay(tmp_path / "journal.jsonl")
    assert caught.value.code == "journal-version"


def test_a_journal_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As an error with a code, as whatever else keeps it from being read."""
    with pytest.raises(JournalError) as caught:
        replay(tmp_path / "journal.jsonl")
    assert caught.value.code == "journal-not-read"


def test_a_later_part_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    """By step and host: what started again is unknown until it ends, and the last end counts."""
    later = rec.Started("a", "web2", 1, None, MOMENT)
    again = (*STORY[:10], STORY[12], STORY[13], rec.Resumed(at=MOMENT), later)

    running = replay(journal(tmp_path, again))
    ended = replay(journal(tmp_path, (*again, rec.Ended(result("a", "web2"), MOMENT))))

    assert ("a", "web2") not in running.results
    assert running.unknown == {("a", "web2"): later, ("b", "web1"): STORY[9]}
    assert (running.stopped, running.finished, running.resumed) == (None, None, 1)
    assert ended.results["a", "web2"].status is Status.OK
    assert set(ended.unknown) == {("b", "web1")}
    assert ("a", "web1") in ended.results


def test_decisions_are_kept(tmp_path: Path) -> None:
    """Skipped is taken for done and not asked again; rerun forgets a result; what is not decided stays unknown."""
    decisions = (
        rec.Decision("a", "web1", rec.Choice.RERUN),
        rec.Decision("b", "web1", rec.Choice.SKIP),
        rec.Decision("a", "web2", rec.Choice.FAIL),
    )
    parts = (*STORY[:10], rec.Resumed(at=MOMENT, decisions=decisions))

    history = replay(journal(tmp_path, parts))

    assert history.taken_for_done == {("b", "web1")}
    assert set(history.unknown) == {("a", "web2")}
    assert set(history.results) == {("a", "web2")}

    history = replay(journal(tmp_path, (*parts, rec.Started("b", "web1", 1, None, MOMENT))))
    assert (history.taken_for_done, ("b", "web1") in history.unknown) == (set(), True)


def test_steps_that_run_again_and_another_plan_are_known_to_the_next_resume(tmp_path: Path) -> None:
    """It compares with what the last part ran, not with what the first did."""
    resumed = rec.Resumed(
        at=MOMENT,
        rerun=("a",),
        plan="1" * 64,
        digests={"playbook": {"x": "y"}},
        steps=(rec.StepCount("a", 1),),
        hosts=1,
    )

    history = replay(journal(tmp_path, (*STORY, resumed)))

    assert history.results == {}
    changed = (history.header.plan, history.header.digests, history.header.steps, history.header.hosts)
    assert changed == (resumed.plan, resumed.digests, resumed.steps, resumed.hosts)
    assert history.header.run == header().run


def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    """So a run can be watched: half a line is read when its other half has come."""
    path = journal(tmp_path, STORY[:3])
    data = line_of(STORY[3]).data
    reader = JournalReader(path)
    assert [record for _, record in reader] == list(STORY[1:3])

    with path.open("ab") as file:
        file.write(data[:10])
    assert list(reader) == []
    assert reader.torn

    with path.open("ab") as file:
        file.write(data[10:])
    assert list(reader) == [(4, STORY[3])]
    assert (reader.torn, reader.whole) == (False, path.stat().st_size)


_KEYS = st.tuples(st.sampled_from("abc"), st.sampled_from(["web1", "web2"]))


@given(st.lists(st.tuples(_KEYS, st.none() | st.sampled_from(Status)), max_size=20))
@settings(max_examples=200)
def test_no_start_is_forgotten(events: list[tuple[tuple[str, str], Status | None]]) -> None:
    """Whatever started and has no good or surely bad end behind it is unknown, and nothing else is."""
    history = History(header())
    last: dict[tuple[str, str], Status | None] = {}
    for (step, host), status in events:
        last[step, host] = status
        if status is None:
            history.take(rec.Started(step, host, 1, None, MOMENT))
        else:
            history.take(rec.Ended(result(step, host, status), MOMENT))

    assert set(history.unknown) == {key for key, status in last.items() if status in {None, Status.UNKNOWN}}
    assert {key: each.status for key, each in history.results.items()} == {
        key: status for key, status in last.items() if status is not None
    }


def test_the_end_of_a_very_long_line_is_found(tmp_path: Path) -> None:
    """A tail longer than what is read at first."""
    many = rec.Noticed("x" * 300_000, MOMENT)
    path = journal(tmp_path, (header(), many), b"y" * 100_000)

    assert read_tail(path) == (many, path.stat().st_size - 100_000)
