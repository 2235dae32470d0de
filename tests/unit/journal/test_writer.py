"""The recorder: its order, its groups, and what it does when the disk does not take what it is given."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from runner.engine.port import Recorder
from runner.engine.result import Status
from runner.errors import JournalError
from runner.journal import record as rec
from runner.journal.commit import MOST_KEPT
from runner.journal.disk import LocalDisk
from runner.journal.reader import JournalReader
from runner.journal.store import RunDirectory
from runner.journal.writer import JournalWriter
from tests.unit.journal.samples import MOMENT, header, result, run_in, summary


class WatchedDisk(LocalDisk):
    """The real disk; it counts what is synced, and holds or fails what it is told to."""

    def __init__(self) -> None:
        self.syncs = 0
        self.acts: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.room: int | None = None
        self.fails: dict[str, int] = {}

    def _act(self, name: str) -> None:
        self.acts.append(name)
        if name in self.fails:
            raise OSError(self.fails[name], os.strerror(self.fails[name]))

    def create(self, path: Path) -> int:
        self._act("create")
        return super().create(path)

    def write(self, descriptor: int, data: memoryview) -> int:
        assert self.gate.wait(30)
        self._act("write")
        if self.room is None:
            return super().write(descriptor, data)
        taken, self.room = data[: self.room], self.room - len(data[: self.room])
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(descriptor, taken)

    def sync(self, descriptor: int) -> None:
        self._act("sync")
        self.syncs += 1
        super().sync(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        self._act("cut")
        super().cut(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        self._act("name")
        super().replace(source, target)


def writer_of(directory: RunDirectory, disk: LocalDisk | None = None) -> JournalWriter:
    return JournalWriter(directory, disk=disk, utc=lambda: MOMENT)


def records(directory: RunDirectory) -> list[rec.Record]:
    return [record for _, record in JournalReader(directory.journal)]


async def test_everything_is_recorded_in_the_order_of_the_calls(tmp_path: Path) -> None:
    """The recorder's own calls, and what the command line tells it."""
    directory = run_in(tmp_path)
    resumed = rec.Resumed(at=MOMENT, pid=3)
    async with writer_of(directory) as writer:
        recorder: Recorder = writer
        await recorder.started("a", "web1", 1, None)
        recorder.ended("a", "web1", result())
        recorder.ended("b", "web1", result("a", "web2"))
        recorder.wave_passed("a", 0)
        recorder.broke(None, "too many")
        recorder.rescued("block", "web1", {"b", "a"})
        await recorder.started("a", "web2", 2, 5)
        writer.notice("be quick", "web1")
        writer.answered("gate", go=False, who="ops")
        writer.stopped("Ctrl-C")
        writer.resumed(resumed)
        writer.finished(summary())

    assert records(directory) == [
        rec.Started("a", "web1", 1, None, MOMENT),
        rec.Ended(result(), MOMENT),
        rec.Ended(result("b", "web1"), MOMENT),
        rec.WavePassed("a", 0, MOMENT),
        rec.PolicyBroke(None, "too many", MOMENT),
        rec.Rescued("block", "web1", ("a", "b"), MOMENT),
        rec.Started("a", "web2", 2, 5, MOMENT),
        rec.Noticed("be quick", MOMENT, "web1"),
        rec.Answered("gate", False, "ops", MOMENT),
        rec.Stopped("Ctrl-C", MOMENT),
        resumed,
        rec.Finished(summary(), MOMENT),
    ]


async def test_a_start_returns_when_it_is_on_disk_with_all_before_it(tmp_path: Path) -> None:
    """Not before its sync: what is recorded before a host is acted on outlives the machine."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        writer.ended("a", "web2", result(host="web2"))
        disk.gate.clear()
        start = asyncio.ensure_future(writer.started("a", "web1", 1, None))
        while writer._lines._flusher is None or disk.acts:
            await asyncio.sleep(0)
        assert not start.done()
        disk.gate.set()
        await start

        assert disk.acts == ["write", "sync"]
        assert [type(each) for each in records(directory)] == [rec.Ended, rec.Started]


async def test_starts_at_one_time_share_a_sync(tmp_path: Path) -> None:
    """Fifty at once are one group; those that come while it is written are the next."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        await asyncio.gather(*(writer.started("a", f"web{number}", 1, None) for number in range(50)))
        assert disk.syncs == 1

        disk.gate.clear()
        first = asyncio.ensure_future(writer.started("b", "web0", 1, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(writer.started("b", f"web{n}", 1, None)) for n in range(1, 50)]
        await asyncio.sleep(0)
        disk.gate.set()
        await asyncio.gather(first, *others)
        assert disk.syncs == 3

    assert len(records(directory)) == 100


async def test_an_end_reaches_the_disk_without_anybody_waiting(tmp_path: Path) -> None:
    """A crash in the midst of a long step must not make unknown what ended before."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        writer.ended("a", "web1", result())
        assert disk.acts == []
        while not disk.syncs:
            await asyncio.sleep(0.01)  # until it is there; the test's own timeout ends this

        assert records(directory) == [rec.Ended(result(), MOMENT)]


async def test_ends_of_many_hosts_do_not_gather_in_memory(tmp_path: Path) -> None:
    """Beyond some megabytes they are written without a pause."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        for number in range(90):
            writer.ended("a", f"web{number}", result(host=f"web{number}", output=f"{number}" * 100_000))
        assert writer._lines._timer is None
        assert writer._lines._flusher is not None


async def test_equal_outputs_are_written_once_and_before_their_line(tmp_path: Path) -> None:
    """The file has its name only when its content is on disk, and the line is written after that."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        for host in ("web1", "web2"):
            writer.ended("a", host, result(host=host, output="x" * 5_000))
        await writer.flush()
        assert disk.acts == ["create", "write", "sync", "name", "write", "sync"]
        writer.ended("a", "web3", result(host="web3", output="x" * 5_000))
    async with writer_of(directory, disk) as writer:
        writer.ended("b", "web1", result("b", output="x" * 5_000))

    assert disk.acts[6:] == ["write", "sync"] * 2
    assert len([path for path in directory.spool.rglob("*") if path.is_file()]) == 1
    assert {len(each.result.output) for each in records(directory) if isinstance(each, rec.Ended)} == {5_000}


async def test_only_its_owner_can_read_a_journal(tmp_path: Path) -> None:
    """What hosts said is nobody else's."""
    directory = run_in(tmp_path)
    async with writer_of(directory) as writer:
        writer.ended("a", "web1", result(output="x" * 5_000))

    for path in (directory.path, *directory.path.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


async def test_a_cancelled_start_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Its line may be there; the end that follows says that nothing was run."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    async with writer_of(directory, disk) as writer:
        starts = [asyncio.ensure_future(writer.started("a", f"web{n}", 1, None)) for n in range(3)]
        await asyncio.sleep(0)
        starts[1].cancel()
        done = await asyncio.gather(*starts, return_exceptions=True)

    assert [type(each) for each in done] == [type(None), asyncio.CancelledError, type(None)]


@pytest.mark.parametrize("tail", [b'{"type":"sta', b"\x00" * 20, b'{"type":"x"}\n'])
async def test_a_resumed_run_writes_behind_the_last_whole_line(tmp_path: Path, tail: bytes) -> None:
    """A torn line that stayed would damage the one behind it."""
    directory = run_in(tmp_path)
    async with writer_of(directory) as writer:
        await writer.started("a", "web1", 1, None)
    with directory.journal.open("ab") as file:
        file.write(tail)

    async with writer_of(directory) as writer:
        writer.resumed(rec.Resumed(at=MOMENT))

    assert [type(each) for each in records(directory)] == [rec.Started, rec.Resumed]


@pytest.mark.parametrize("room", [0, 1, 90, 100, 150, 200, 260])
async def test_a_full_disk_loses_nothing_that_was_recorded(tmp_path: Path, room: int) -> None:
    """Whole lines stay, half a line is cut back, the start is refused; with room again all of it is written."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    writer = writer_of(directory, disk)
    await writer.started("a", "web1", 1, None)
    writer.ended("a", "web1", result())
    writer.ended("a", "web2", result(host="web2"))
    disk.room = room

    with pytest.raises(JournalError) as caught:
        await writer.started("b", "web1", 1, None)

    assert caught.value.code == "journal-full"
    assert directory.run in " ".join(caught.value.hints)
    assert directory.journal.read_bytes().endswith(b"}\n")
    kept = records(directory)
    assert kept[0] == rec.Started("a", "web1", 1, None, MOMENT)

    disk.room = None
    acts = len(disk.acts)
    with pytest.raises(JournalError):  # nothing new starts in this run, whatever becomes of the disk
        await writer.started("c", "web1", 1, None)
    assert writer.error is not None
    assert len(disk.acts) == acts
    writer.finished(summary())
    await writer.close()

    assert records(directory) == [
        rec.Started("a", "web1", 1, None, MOMENT),
        rec.Ended(result(), MOMENT),
        rec.Ended(result(host="web2"), MOMENT),
        rec.Started("b", "web1", 1, None, MOMENT),
        rec.Finished(summary(), MOMENT),
    ]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EROFS, "journal-read-only"),
        (errno.EDQUOT, "journal-full"),
        (errno.EFBIG, "journal-full"),
        (errno.EIO, "journal-not-written"),
    ],
)
@pytest.mark.parametrize("act", ["write", "sync", "create"])
async def test_each_failure_of_the_disk_is_told_by_its_code(
    tmp_path: Path, act: str, number: int, code: str
) -> None:
    """Whether the line, its sync or the spool fails; closing raises too and is over all the same."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    writer = writer_of(directory, disk)
    await writer.started("a", "web1", 1, None)
    disk.fails = {act: number}
    writer.ended("a", "web1", result(output="x" * 5_000))

    with pytest.raises(JournalError) as caught:
        await writer.started("b", "web1", 1, None)
    assert caught.value.code == code
    with pytest.raises(JournalError):
        await writer.close()
    await writer.close()

    assert records(directory) == [rec.Started("a", "web1", 1, None, MOMENT)]


async def test_after_a_failed_sync_the_lines_are_written_again(tmp_path: Path) -> None:
    """The system takes data for written after a sync that failed, so that a second sync alone would prove nothing."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    writer = writer_of(directory, disk)
    disk.fails = {"sync": errno.EIO}
    with pytest.raises(JournalError):
        await writer.started("a", "web1", 1, None)

    disk.fails, disk.acts = {}, []
    await writer.close()

    assert disk.acts == ["cut", "sync", "write", "sync"]
    assert records(directory) == [rec.Started("a", "web1", 1, None, MOMENT)]


async def test_memory_is_bounded_when_the_disk_takes_nothing(tmp_path: Path) -> None:
    """What ends then is unknown to a resumed run, which asks; the run itself does not end for it."""
    directory, disk = run_in(tmp_path), WatchedDisk()
    writer = writer_of(directory, disk)
    disk.fails = {"write": errno.ENOSPC}
    with pytest.raises(JournalError):
        await writer.started("a", "web1", 1, None)

    for number in range(200):
        writer.ended("a", f"web{number}", result(host=f"web{number}", output=f"{number}" * 500_000))

    assert writer._lines._batch.size < MOST_KEPT + 4_000_000
    with pytest.raises(JournalError):
        await writer.close()


async def test_a_journal_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """Before anything is run."""
    with pytest.raises(JournalError) as caught:
        writer_of(RunDirectory(tmp_path / header().run))

    assert caught.value.code == "journal-not-written"


async def test_a_result_of_another_name_is_recorded_under_the_names_given(tmp_path: Path) -> None:
    """The machine's step and host count."""
    directory = run_in(tmp_path)
    async with writer_of(directory) as writer:
        writer.ended("b", "web9", result("a", "web1", Status.CHANGED))

    assert records(directory) == [rec.Ended(result("b", "web9", Status.CHANGED), MOMENT)]
