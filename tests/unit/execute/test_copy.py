"""`copy` against a real sh and real files: compared, whole or not at all, nothing left behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import ExecutionFailed
from runner.execute.bodies.copy import Content, Copied, compare, copy
from runner.execute.bodies.host_files import HostFiles, Wish
from runner.execute.bodies.source_files import SourceFiles, pieces_of_bytes, pieces_of_file
from runner.execute.guard import Guard, Progress
from runner.execute.patience import Patience
from runner.transport.local import LocalConnection

NOW = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


def content_of(data: bytes, name: str = "") -> Content:
    return Content(hashlib.sha256(data).hexdigest(), len(data), lambda: pieces_of_bytes(data), name)


async def put(
    files: HostFiles, data: bytes, destination: Path | str, wish: Wish | None = None, *, backup: bool = False
) -> Copied:
    backup_at = NOW if backup else None
    return await place(files, content_of(data, "new.txt"), str(destination), wish, backup_at=backup_at)


async def place(
    files: HostFiles,
    content: Content,
    destination: str,
    wish: Wish | None = None,
    *,
    backup_at: datetime | None = None,
) -> Copied:
    """Compare and put, as the body does."""
    wish = wish or Wish()
    return await copy(
        files, content, await compare(files, content, destination, wish), wish, backup_at=backup_at
    )


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("name", ["plain", "two  blanks", "quote'\"$(x)`", "new\nline", "-rf", "ünï", "*?["])
async def test_content_arrives_byte_for_byte(files: HostFiles, tmp_path: Path, name: str) -> None:
    """Any byte in the content, any name that a file can have; nothing else is left in the directory."""
    data = bytes(range(256)) * 5000
    copied = await put(files, data, tmp_path / name)
    assert (tmp_path / name).read_bytes() == data
    assert names_in(tmp_path) == [name]
    digest = hashlib.sha256(data).hexdigest()
    assert copied == Copied(
        {"path": str(tmp_path / name), "bytes": len(data), "sha256": digest, "changed": True}, True
    )


async def test_the_same_again_changes_nothing(files: HostFiles, tmp_path: Path) -> None:
    """What is there already is not written again."""
    await put(files, b"same", tmp_path / "f")
    before = (tmp_path / "f").stat()
    assert not (
        await put(files, b"same", tmp_path / "f", Wish(mode=f"{before.st_mode & 0o7777:04o}"))
    ).changed
    assert (tmp_path / "f").stat() == before


async def test_an_empty_file_is_a_file(files: HostFiles, tmp_path: Path) -> None:
    """No content is content too."""
    await put(files, b"", tmp_path / "empty")
    assert (tmp_path / "empty").read_bytes() == b""


async def test_a_new_file_has_the_mode_of_the_umask_and_a_wish_beats_it(
    files: HostFiles, tmp_path: Path
) -> None:
    """Without a wish 0666 less the umask; with one exactly that, symbolic too."""
    mask = os.umask(0)
    os.umask(mask)
    await put(files, b"x", tmp_path / "a")
    await put(files, b"x", tmp_path / "b", Wish(mode="0640"))
    await put(files, b"x", tmp_path / "c", Wish(mode="u=rwx,go="))
    assert [mode_of(tmp_path / name) for name in "abc"] == [0o666 & ~mask, 0o640, 0o700]


async def test_a_file_replaced_keeps_its_mode(files: HostFiles, tmp_path: Path) -> None:
    """What the author does not ask for stays as it is."""
    (tmp_path / "f").write_bytes(b"old")
    (tmp_path / "f").chmod(0o750)
    await put(files, b"new", tmp_path / "f")
    assert (mode_of(tmp_path / "f"), (tmp_path / "f").read_bytes()) == (0o750, b"new")


async def test_only_the_mode_may_differ(files: HostFiles, tmp_path: Path) -> None:
    """Right content with another mode is settled, and is a change."""
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "f").chmod(0o600)
    assert (await put(files, b"x", tmp_path / "f", Wish(mode="a+r"))).changed
    assert mode_of(tmp_path / "f") == 0o644
    assert not (await put(files, b"x", tmp_path / "f", Wish(mode="a+r"))).changed


async def test_the_owner_asked_for_may_be_the_one_it_has(files: HostFiles, tmp_path: Path) -> None:
    """Owner and group by number, as they are already: no change."""
    (tmp_path / "f").write_bytes(b"x")
    wish = Wish(owner=str(os.getuid()), group=str((tmp_path / "f").stat().st_gid))
    assert not (await put(files, b"x", tmp_path / "f", wish)).changed


async def test_an_owner_that_does_not_exist_is_refused_and_nothing_is_changed(
    files: HostFiles, tmp_path: Path
) -> None:
    """The old file stays as it was, and no temporary file is left."""
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(ExecutionFailed, match="the owner cannot be set") as caught:
        await put(files, b"new", tmp_path / "f", Wish(owner="no-such-user-here"))
    assert caught.value.code == "owner-refused"
    assert (names_in(tmp_path), (tmp_path / "f").read_bytes()) == (["f"], b"old")


async def test_a_directory_takes_the_file_under_its_name(files: HostFiles, tmp_path: Path) -> None:
    """With a name the file goes into the directory; a text has none and is refused."""
    copied = await put(files, b"x", tmp_path)
    assert copied.entry["path"] == str(tmp_path / "new.txt")
    with pytest.raises(ExecutionFailed) as caught:
        await place(files, content_of(b"x"), str(tmp_path))
    assert caught.value.code == "destination-directory"


async def test_a_link_is_followed(files: HostFiles, tmp_path: Path) -> None:
    """As with cp: the file behind the link gets the content, the link stays."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    await put(files, b"new", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("there", "code"), [("gone/f", "destination-parent"), ("pipe", "destination-special")]
)
async def test_where_nothing_can_stand_the_reason_is_told(
    files: HostFiles, tmp_path: Path, there: str, code: str
) -> None:
    """A missing directory and what is no regular file: each has its own code."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExecutionFailed) as caught:
        await put(files, b"x", tmp_path / there)
    assert caught.value.code == code


async def test_a_backup_is_the_old_file(files: HostFiles, tmp_path: Path) -> None:
    """The old content stands beside the new one, named after the run's instant; a new file has no backup."""
    assert "backup" not in (await put(files, b"old", tmp_path / "f", backup=True)).entry
    copied = await put(files, b"new", tmp_path / "f", backup=True)
    assert copied.entry["backup"] == str(tmp_path / "f.20261121T015000Z~")
    assert Path(copied.entry["backup"]).read_bytes() == b"old"


async def test_validation_sees_the_new_file_and_may_refuse_it(files: HostFiles, tmp_path: Path) -> None:
    """The command gets the new file's name; where it fails, the old file stays."""
    (tmp_path / "f").write_bytes(b"old")
    await put(files, b"good", tmp_path / "f", Wish(validate='grep -q good "$1"'))
    with pytest.raises(ExecutionFailed, match="not so good") as caught:
        await put(files, b"bad", tmp_path / "f", Wish(validate="echo not so good >&2; false"))
    assert caught.value.code == "validation-failed"
    assert (names_in(tmp_path), (tmp_path / "f").read_bytes()) == (["f"], b"good")


async def test_what_changed_while_it_was_sent_is_refused(files: HostFiles, tmp_path: Path) -> None:
    """Content that is not what was hashed never gets in place."""
    content = Content(hashlib.sha256(b"announced").hexdigest(), 9, lambda: pieces_of_bytes(b"something else"))
    with pytest.raises(ExecutionFailed) as caught:
        await place(files, content, str(tmp_path / "f"))
    assert (caught.value.code, names_in(tmp_path)) == ("digest-differs", [])


async def test_a_copy_that_is_stopped_leaves_nothing(connection: LocalConnection, tmp_path: Path) -> None:
    """Cancelled in the middle of a transfer: neither a half file nor a temporary one."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"beginning"
        while not names_in(tmp_path):
            await asyncio.sleep(0.01)
        begun.set()
        await asyncio.Event().wait()
        yield b"never"

    progress = Progress()
    files = HostFiles(connection, Guard(Patience(), 2, progress))
    content = Content("0" * 64, 100, endless)
    copying = asyncio.create_task(place(files, content, str(tmp_path / "f")))
    await begun.wait()
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert names_in(tmp_path) == []
    assert (progress.sent, progress.left) == (True, False)


async def test_a_source_is_hashed_once_a_version(tmp_path: Path) -> None:
    """A file that changed is looked at anew; a directory and a missing file are refused in the author's words."""
    path, sources = tmp_path / "src", SourceFiles()
    path.write_bytes(b"one")
    assert (await sources.look(path, "src")).digest == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"other")
    assert (await sources.look(path, "src")).digest == hashlib.sha256(b"other").hexdigest()
    assert [piece async for piece in pieces_of_file(path)] == [b"other"]
    with pytest.raises(ExecutionFailed, match="`src` is a directory: `here`"):
        await sources.look(tmp_path, "here")
    with pytest.raises(ExecutionFailed, match="no such file"):
        await sources.look(tmp_path / "gone", "gone")
