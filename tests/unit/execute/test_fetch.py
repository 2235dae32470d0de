"""`fetch` against a real sh and real files: all checked before anything is written, nothing outside its directory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import ExecutionFailed
from runner.execute.bodies.fetch import Claims, Wanted, changed, fetch, local_path
from runner.execute.bodies.host_files import HostFiles
from runner.execute.guard import Guard, Progress
from runner.execute.patience import Patience
from runner.transport.port import Exit, Receiver, Stream


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    directory = tmp_path / "remote"
    directory.mkdir()
    (directory / "a.log").write_bytes(b"a" * 300_000)
    (directory / "b c.log").write_bytes(bytes(range(256)))
    (directory / "empty.log").write_bytes(b"")
    (directory / "sub").mkdir()
    return directory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "here"


def wanted(*patterns: Path | str, root: Path, flat: bool = False) -> Wanted:
    return Wanted(tuple(map(str, patterns)), root, flat, False, None, False)


async def test_paths_and_patterns_come_below_the_hosts_directory(
    files: HostFiles, remote: Path, root: Path
) -> None:
    """Each file keeps its own path; blanks, binary and empty files arrive; the entries say what came."""
    entries = await fetch(files, wanted(remote / "*.log", root=root), "web01", Claims())
    below = root / "web01" / str(remote).lstrip("/")
    assert {path.name: path.read_bytes() for path in below.iterdir()} == {
        path.name: path.read_bytes() for path in remote.glob("*.log")
    }
    assert entries[1] == {
        "path": str(remote / "b c.log"),
        "dest": str(below / "b c.log"),
        "bytes": 256,
        "sha256": hashlib.sha256(bytes(range(256))).hexdigest(),
        "changed": True,
    }


async def test_the_same_again_changes_nothing(files: HostFiles, remote: Path, root: Path) -> None:
    """What is here already is not fetched again."""
    asked = wanted(remote / "a.log", root=root)
    assert changed(await fetch(files, asked, "web01", Claims()))
    assert not changed(await fetch(files, asked, "web01", Claims()))


async def test_a_name_with_pattern_characters_is_that_file(
    files: HostFiles, remote: Path, root: Path
) -> None:
    """A file that is called like a pattern is itself; the pattern is not expanded."""
    (remote / "[ab].log").write_bytes(b"brackets")
    entries = await fetch(files, wanted(remote / "[ab].log", root=root), "web01", Claims())
    assert [entry["path"] for entry in entries] == [str(remote / "[ab].log")]


@pytest.mark.parametrize(("name", "code"), [("gone", "fetch-missing"), ("sub", "fetch-directory")])
async def test_what_is_no_file_is_told_and_nothing_is_written(
    files: HostFiles, remote: Path, root: Path, name: str, code: str
) -> None:
    """One bad name among good ones: nothing at all is fetched."""
    with pytest.raises(ExecutionFailed) as caught:
        await fetch(files, wanted(remote / "a.log", remote / name, root=root), "web01", Claims())
    assert caught.value.code == code
    assert not root.exists()


async def test_missing_may_be_fine(files: HostFiles, remote: Path, root: Path) -> None:
    """`missing: ok` leaves out what is not there, a pattern without a match too."""
    asked = replace(wanted(remote / "gone", remote / "*.txt", remote / "a.log", root=root), missing_ok=True)
    entries = await fetch(files, asked, "web01", Claims())
    assert [entry["path"] for entry in entries] == [str(remote / "a.log")]


async def test_a_file_over_the_limit_is_not_taken(files: HostFiles, remote: Path, root: Path) -> None:
    """`max_size` is looked at before anything is sent."""
    with pytest.raises(ExecutionFailed, match="300,000 bytes, more than") as caught:
        await fetch(files, replace(wanted(remote / "a.log", root=root), max_size=1000), "web01", Claims())
    assert (caught.value.code, root.exists()) == ("fetch-too-large", False)


async def test_flat_refuses_collisions_before_it_overwrites(
    files: HostFiles, remote: Path, root: Path
) -> None:
    """Two hosts with a file of the same name: the second is refused, the first one's file stays."""
    asked, claims = wanted(remote / "a.log", root=root, flat=True), Claims()
    await fetch(files, asked, "web01", claims)
    (remote / "a.log").write_bytes(b"of web02")
    with pytest.raises(ExecutionFailed, match=r"of `web02` and .* of `web01`") as caught:
        await fetch(files, asked, "web02", claims)
    assert caught.value.code == "fetch-collision"
    assert (root / "a.log").read_bytes() == b"a" * 300_000


async def test_a_local_directory_that_cannot_be_written_is_told(
    files: HostFiles, remote: Path, root: Path
) -> None:
    """A file stands where the directory should: an error of the step, not a traceback."""
    root.write_bytes(b"in the way")
    with pytest.raises(ExecutionFailed, match="cannot be written on the controller"):
        await fetch(files, wanted(remote / "a.log", root=root), "web01", Claims())


@pytest.mark.parametrize("path", ["/etc/../../x", "..", "/", "", "a/../../b", "x\0y"])
def test_a_lying_host_cannot_leave_its_directory(path: str, root: Path) -> None:
    """Whatever path a host answers, it stays below the directory or is refused."""
    with pytest.raises(ExecutionFailed) as caught:
        local_path(wanted("x", root=root), "web01", path)
    assert caught.value.code == "fetch-path"


@pytest.mark.parametrize("host", ["..", ".", "a/../../b", ""])
def test_a_host_name_cannot_leave_the_directory(host: str, root: Path) -> None:
    """A host's name is one directory, whatever is in it."""
    path = local_path(wanted("x", root=root), host, "/f")
    assert path.parent.parent == root
    assert path.parent.name not in {"..", "."}


class LyingProcess:
    """Says what it was told to say, whatever it is asked."""

    def __init__(self, receiver: Receiver, answer: bytes) -> None:
        self.receiver = receiver
        self.answer = answer

    async def write(self, data: bytes) -> None: ...

    async def write_eof(self) -> None: ...

    async def wait(self) -> Exit:
        self.receiver.data_received(Stream.STDOUT, self.answer)
        return Exit(code=0)

    async def stop(self, grace: float) -> bool:
        return True

    async def interrupt(self) -> bool:
        return False


class LyingConnection:
    """A hostile host: gives its answers in order."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    async def start(self, command: Sequence[str], receiver: Receiver) -> LyingProcess:
        return LyingProcess(receiver, self.answers.pop(0))


def lying(*answers: bytes) -> HostFiles:
    connection = LyingConnection(*answers)
    return HostFiles(connection, Guard(Patience(), 0.1, Progress()))  # type: ignore[arg-type]


async def test_more_than_was_announced_is_not_taken(root: Path) -> None:
    """A host that sends another content than it announced leaves no file behind."""
    announced = b"file 4 " + hashlib.sha256(b"good").hexdigest().encode() + b" /x\0"
    with pytest.raises(ExecutionFailed) as caught:
        await fetch(lying(announced, b"evil" * 1000), wanted("/x", root=root), "web01", Claims())
    assert caught.value.code == "fetch-damaged"
    assert [path for path in root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "answer", [b"nonsense\0", b"file x y /p\0", b"file 4 abc /p\0", b"file 99999 \0", b"gone 0 - /p\0"]
)
async def test_an_answer_without_sense_is_refused(answer: bytes, root: Path) -> None:
    """What cannot be parsed is an error of the step."""
    with pytest.raises(ExecutionFailed) as caught:
        await fetch(lying(answer), wanted("/x", root=root), "web01", Claims())
    assert caught.value.code == "file-script"
