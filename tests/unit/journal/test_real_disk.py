"""Disks that are full or read-only, and processes that are killed, as the system has them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runner.credentials.redact import Redactor
from runner.engine.result import Failure, Status, Streams
from runner.errors import JournalError
from runner.execute.masking import masked
from runner.journal.record import RunOptions, Started
from runner.journal.reserve import SIZE
from runner.journal.store import RunDirectory
from runner.journal.writer import JournalWriter
from runner.values import Secret
from tests.unit.journal.samples import result, run_in, summary

WRITE = """
import asyncio, pathlib, resource, sys
from runner.engine.result import Result, Status
from runner.errors import JournalError
from runner.journal.store import RunDirectory
from runner.journal.writer import JournalWriter

limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

async def main():
    writer = JournalWriter(RunDirectory(pathlib.Path(sys.argv[1])))
    try:
        for number in range(1000000):
            await writer.started("a", f"web{number}", 1, None)
            print(number, flush=True)
            output = "x" * (5000 if number % 7 == 0 else 10) + str(number)
            writer.ended("a", f"web{number}", Result(step="a", host=f"web{number}", status=Status.OK, output=output))
    except JournalError as error:
        print(error.code, flush=True)

asyncio.run(main())
"""


def writing(directory: RunDirectory, limit: int = 0) -> subprocess.Popen[str]:
    """A process that records starts and ends as fast as it can, and prints each start that is on disk."""
    command = [sys.executable, "-c", WRITE, str(directory.path), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def numbers(lines: list[str]) -> list[int]:
    return [int(line) for line in lines if line.strip().isdigit() and line.endswith("\n")]


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_process_leaves_every_start_it_was_told_of(tmp_path: Path, seed: int) -> None:
    """SIGKILL after any number of lines: no start that may have acted is missing, and a resumed run writes on."""
    directory = run_in(tmp_path)
    with writing(directory) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(random.Random(seed).randint(1, 40))]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()

    history = directory.replay()

    known = {host for _, host in history.results} | {host for _, host in history.unknown}
    assert {f"web{number}" for number in numbers(told)} <= known
    assert len(history.unknown) <= 2  # the last that was told of, and one that was being written
    assert all(str(each.output).endswith(host[3:]) for (_, host), each in history.results.items())


@pytest.mark.parametrize("limit", [900, 1_000, 4_321])
def test_a_limit_of_the_system_ends_the_run_with_a_code(tmp_path: Path, limit: int) -> None:
    """A file that may not grow is a full disk: whole lines stay, and all that was told of is there."""
    directory = run_in(tmp_path)
    with writing(directory, limit) as process:
        assert process.stdout is not None
        *told, last = process.stdout.readlines()

    assert last == "journal-full\n"
    history = directory.replay()
    assert not history.torn
    known = {host for _, host in history.results} | {host for _, host in history.unknown}
    assert {f"web{number}" for number in numbers(told)} <= known


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A small file system of its own; skips where this user may not mount one."""
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def fill(writer: JournalWriter) -> int:
    """Record until the disk takes nothing more; gives how many starts were promised."""
    for number in range(100_000):
        try:
            await writer.started("a", f"web{number}", 1, None)
        except JournalError:
            assert writer.error is not None
            assert writer.error.code == "journal-full"
            return number
        writer.ended("a", f"web{number}", result(host=f"web{number}", output=[os.urandom(600).hex()] * 9))
    raise AssertionError("the disk is never full")


async def test_a_full_disk_can_be_gone_on_with_after_making_room(tmp_path: Path) -> None:
    """On a real small file system, with outputs in the spool."""
    with mounted(tmp_path / "disk", "256k"):
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(b"x" * 60_000)
        directory = run_in(tmp_path / "disk" / ".runner")
        writer = JournalWriter(directory)
        promised = await fill(writer)

        history = directory.replay()
        known = {host for _, host in history.results} | {host for _, host in history.unknown}
        assert {f"web{number}" for number in range(promised)} <= known

        ballast.unlink()
        writer.finished(summary())
        await writer.close()
        history = directory.replay()
        assert history.finished == summary()
        assert len(history.results) == promised
        assert not list(directory.spool.rglob(".*"))


def fill_up(path: Path) -> None:
    """Somebody else takes all the room there is, to the last byte."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4_096)):
            pass
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"x"):
            pass


async def test_a_run_keeps_room_for_its_end(tmp_path: Path) -> None:
    """What runs when the disk is full comes to its end, and that is recorded with its output, as is the end of all."""
    with mounted(tmp_path / "disk", "4m"):
        directory = run_in(tmp_path / "disk" / ".runner")
        writer = JournalWriter(directory)
        await writer.started("a", "web1", 1, None)
        await writer.started("a", "web2", 1, None)
        fill_up(tmp_path / "disk" / "ballast")
        writer.ended("a", "web1", result(output="x" * 50_000))
        with pytest.raises(JournalError):
            await writer.started("b", "web1", 1, None)
        writer.ended("a", "web2", result(host="web2", output="y" * 50_000))
        writer.finished(summary())
        await writer.close()

        assert writer.error is not None
        assert writer.error.code == "journal-full"
        history = directory.replay()
        assert [str(each.output)[:1] for each in history.results.values()] == ["x", "y"]
        assert set(history.unknown) == {("b", "web1")}
        assert history.finished == summary()
        assert not directory.reserve.exists()


async def test_an_output_that_does_not_fit_takes_no_other_end_with_it(tmp_path: Path) -> None:
    """It is larger than what the run has kept: its own end is unknown, all others are recorded."""
    with mounted(tmp_path / "disk", "8m"):
        directory = run_in(tmp_path / "disk" / ".runner")
        writer = JournalWriter(directory)
        for host in ("web1", "web2", "web3"):
            await writer.started("a", host, 1, None)
        fill_up(tmp_path / "disk" / "ballast")
        for host, size in (("web1", 50_000), ("web2", 2_000_000), ("web3", 50_001)):
            writer.ended("a", host, result(host=host, output="x" * size))
        writer.finished(summary())
        with pytest.raises(JournalError) as caught:
            await writer.close()

        assert caught.value.code == "journal-full"
        history = directory.replay()
        assert set(history.unknown) == {("a", "web2")}
        assert [len(each.output) for each in history.results.values()] == [50_000, 50_001]
        assert history.finished == summary()


async def test_room_that_a_killed_run_has_kept_is_used_by_who_goes_on(tmp_path: Path) -> None:
    """It is not made twice, and is given back at the end."""
    directory = run_in(tmp_path)
    with writing(directory) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    kept = directory.reserve.stat()
    assert (kept.st_mode & 0o777, kept.st_size) == (0o600, SIZE)

    async with JournalWriter(directory):
        assert directory.reserve.stat().st_ino == kept.st_ino

    assert not directory.reserve.exists()


async def test_a_disk_that_becomes_read_only_is_told(tmp_path: Path) -> None:
    """As failing disks are remounted; a new run there is refused, and what was recorded can be read."""
    with mounted(tmp_path / "disk", "1m"):
        directory = run_in(tmp_path / "disk")
        async with JournalWriter(directory) as writer:
            await writer.started("a", "web1", 1, None)
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)

        with pytest.raises(JournalError) as caught:
            JournalWriter(directory)
        assert caught.value.code == "journal-read-only"
        assert set(directory.replay().unknown) == {("a", "web1")}
        (unknown,) = directory.replay().unknown.values()
        assert isinstance(unknown, Started)


async def test_a_journal_of_a_run_with_a_secret_holds_none(tmp_path: Path) -> None:
    """Results come masked, keep the mark, and neither the lines nor the spool have the secret in any encoding."""
    secret = "hunter2-and-more"
    redactor = Redactor()
    redactor.add(secret)
    directory = run_in(tmp_path)
    told = result(
        status=Status.FAILED,
        output=[f"password={secret}", {"k": secret.encode()}, secret * 500],
        stderr=[secret],
        streams=Streams(warnings=(secret,)),
        failure=Failure("exit-code", f"it said {secret}", hints=(secret,)),
    )
    async with JournalWriter(directory) as writer:
        writer.ended("a", "web1", masked(told, redactor))

    written = b"".join(path.read_bytes() for path in directory.path.rglob("*") if path.is_file())
    assert b"hunter2" not in written
    assert secret.encode().hex().encode() not in written
    assert directory.replay().results["a", "web1"].secret


def test_a_header_names_secret_inputs_and_does_not_have_them(tmp_path: Path) -> None:
    """A resumed run asks for them again; one that is given all the same is left out by the codec."""
    options = RunOptions(secret_extras=("token",), extras={"size": 3, "nested": [Secret("hunter2")]})
    directory = run_in(tmp_path, options=options)

    assert "hunter2" not in directory.journal.read_text(encoding="utf-8")
    found = directory.replay().header.options
    assert (found.secret_extras, found.extras["size"]) == (("token",), 3)
