"""Files over PowerShell remoting: what is sent for `copy` and `fetch`, and that no answer of a host is trusted.

The host is in this process and does what the fixed scripts say, by Python, in a directory of the test; the scripts
themselves run against a real engine in tests/end_to_end/test_powershell_files.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import PSByteArray, PSCustomObject

from runner.engine.result import Status
from runner.execute.powershell import file_scripts as scripts
from runner.execute.powershell.files import PIECE, in_pieces
from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused, Script
from tests.unit.execute.running import Seen, run

INVENTORY = "version: 1\nconnection: {transport: winrm, use_ssl: true}\nhosts: {win: {}}\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Disk:
    """The files of a Windows-like host by path; ``damage`` spoils what arrives."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f"C:\\data\\{name}.bin": data for name, data in files.items()}
        self.pieces: list[int] = []
        self.checks: list[str] = []
        self.damage = False
        self.lie: dict[str, Any] = {}

    def host(self) -> FakeHost:
        own: dict[str, Script] = {scripts.LOOK: self.look, scripts.PUT: self.put, scripts.SETTLE: self.settle}
        more: dict[str, Script] = {
            scripts.FIND: self.find,
            scripts.TAKE: self.take,
            "Remove-Item": self.remove,
        }
        return FakeHost(scripts=own | more)

    def look(self, call: Call) -> None:
        path = call.named["Destination"]
        if path.endswith("\\"):
            path += call.named["Name"]
        found = self.files.get(path)
        answer = (
            {"Kind": "absent"} if found is None else {"Kind": "file", "Digest": _digest(found), "Facts": ""}
        )
        call.write(PSCustomObject(**(answer | {"Path": path} | self.lie)))

    def put(self, call: Call) -> None:
        if call.named["Mode"]:
            raise Refused("mode-refused Windows has access lists and no mode")
        self.pieces = [len(piece) for piece in call.input]
        self.checks.append(call.named["Validate"])
        if call.named["Validate"].startswith("exit"):  # ends the script around it too, which answers nothing
            call.exit(0)
            return
        data = b"".join(map(bytes, call.input)) + (b"!" if self.damage else b"")
        if _digest(data) != call.named["Digest"]:
            self.files[call.named["Temporary"]] = data
            raise Refused("digest-differs what arrived is not what was sent")
        if call.named["Backup"]:
            self.files[call.named["Backup"]] = self.files[call.named["Path"]]
        self.files[call.named["Path"]] = data
        call.write(PSCustomObject(Kind="done", Facts=""))

    def settle(self, call: Call) -> None:
        raise Refused("mode-refused Windows has access lists and no mode")

    def find(self, call: Call) -> None:
        for pattern in call.named["Pattern"]:
            data = self.files.get(pattern)
            answer: dict[str, Any] = {"Kind": "missing", "Path": pattern, "Size": 0, "Digest": ""}
            if data is not None:
                answer |= {"Kind": "file", "Size": len(data), "Digest": _digest(data)}
            call.write(PSCustomObject(Windows=True, **(answer | self.lie)))

    def take(self, call: Call) -> None:
        data = self.files[call.named["Path"]][: call.named["Size"]]
        for start in range(0, len(data), PIECE):
            call.write(PSByteArray(data[start : start + PIECE]))

    def remove(self, call: Call) -> None:
        # As on Linux: a hidden file is refused without force, and Ignore does not tell.
        hidden = ".runner-" in call.named["LiteralPath"]
        if call.named.get("Force") or not hidden:
            self.files.pop(call.named["LiteralPath"], None)


async def play(folder: Path, disk: Disk, steps: str) -> Seen:
    text = "version: 1\ntargets: {all: {hosts: all}}\nsessions: {warm: {target: all}}\nsteps:\n"
    transports = {"winrm": FakeWinrm({"win": disk.host()})}
    return await run(folder, text + steps, inventory=INVENTORY, transports=transports)


@given(st.lists(st.binary(max_size=3 * PIECE // 2), max_size=4))
async def test_pieces_are_the_content(parts: list[bytes]) -> None:
    """However content comes, its pieces together are the content, each but the last is full, and none is empty."""

    async def content() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    pieces = [piece async for piece in in_pieces(content())]
    assert b"".join(pieces) == b"".join(parts)
    assert all(len(piece) == PIECE for piece in pieces[:-1])
    assert all(pieces)


@pytest.mark.parametrize("size", [0, 5, PIECE, 2 * PIECE + 7])
async def test_a_file_is_put_in_pieces(tmp_path: Path, size: int) -> None:
    """A file arrives whole whatever bytes it has, in pieces of 1 MiB; a second copy of it changes nothing."""
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "a.bin").write_bytes(content[:size])
    disk = Disk()
    step = "- {id: ID, target: all, copy: {src: a.bin, dest: 'C:\\data\\'}}\n"
    seen = await play(tmp_path, disk, step.replace("ID", "one") + step.replace("ID", "two"))
    assert seen.result("one", "win").status is Status.CHANGED
    assert seen.result("two", "win").status is Status.OK
    assert disk.files == {"C:\\data\\a.bin": content[:size]}
    assert len(disk.pieces) == -(-size // PIECE)


async def test_a_backup_is_made_of_what_is_replaced(tmp_path: Path) -> None:
    """`backup` keeps the old file beside the new one; it works in a session too."""
    disk = Disk(a=b"old")
    step = "- {id: a, session: warm, copy: {content: new, dest: 'C:\\data\\a.bin', backup: true}}\n"
    seen = await play(tmp_path, disk, step)
    (entry,) = seen.result("a", "win").output
    assert disk.files["C:\\data\\a.bin"] == b"new"
    assert disk.files[entry["backup"]] == b"old"


async def test_a_damaged_file_is_refused_and_taken_away(tmp_path: Path) -> None:
    """A file that arrives otherwise than it was sent fails the step; nothing half written stays."""
    disk = Disk(a=b"old")
    disk.damage = True
    seen = await play(
        tmp_path, disk, "- {id: a, target: all, copy: {content: new, dest: 'C:\\data\\a.bin'}}\n"
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == "digest-differs"
    assert disk.files == {"C:\\data\\a.bin": b"old"}


@pytest.mark.parametrize(
    ("written", "sent"),
    [("Test-It", 'Test-It "$($args[0])"'), ("Test-It '-x' %s -y", "Test-It '-x' $($args[0]) -y")],
)
async def test_a_check_gets_the_name_of_the_new_file(tmp_path: Path, written: str, sent: str) -> None:
    """As the script's first argument: where `%s` stands, else last and in quotes, so that it is no pattern."""
    disk = Disk()
    await play(
        tmp_path,
        disk,
        f"- {{id: a, target: all, copy: {{content: new, dest: 'C:\\data\\a.bin', validate: \"{written}\"}}}}\n",
    )
    assert disk.checks == [sent]


async def test_a_check_that_exits_leaves_the_copy_undone(tmp_path: Path) -> None:
    """`exit` in `validate` ends what puts the file in place; the failure says so and what to write."""
    disk = Disk(a=b"old")
    step = "- {id: a, target: all, copy: {content: new, dest: 'C:\\data\\a.bin', validate: exit 0}}\n"
    failure = (await play(tmp_path, disk, step)).result("a", "win").failure
    assert failure is not None
    assert failure.code == "validation-failed"
    assert "`throw`" in failure.message
    assert disk.files == {"C:\\data\\a.bin": b"old"}


@pytest.mark.parametrize("content", ["old", "new"])
async def test_a_mode_is_refused_on_windows(tmp_path: Path, content: str) -> None:
    """Windows has no permission bits: a mode is refused by name, also where the content is right already."""
    step = f"- {{id: a, target: all, copy: {{content: {content}, dest: 'C:\\data\\a.bin', mode: '0644'}}}}\n"
    failure = (await play(tmp_path, Disk(a=b"old"), step)).result("a", "win").failure
    assert failure is not None
    assert failure.code == "mode-refused"
    assert "access lists" in failure.message


async def test_files_are_fetched_below_the_hosts_name(tmp_path: Path) -> None:
    """A file of Windows goes below `dest/HOST/` with its drive as a directory, byte for byte."""
    disk = Disk(a=bytes(range(256)) * 8192, b=b"")
    step = "- {id: a, target: all, fetch: {src: ['C:\\data\\a.bin', 'C:\\data\\b.bin'], dest: got}}\n"
    seen = await play(tmp_path, disk, step)
    assert seen.result("a", "win").status is Status.CHANGED
    for name in ("a", "b"):
        assert (tmp_path / f"got/win/C/data/{name}.bin").read_bytes() == disk.files[f"C:\\data\\{name}.bin"]


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"Path": "..\\..\\evil"}, "fetch-path"),
        ({"Digest": "0" * 64}, "fetch-damaged"),
        ({"Size": 3}, "fetch-damaged"),
        ({"Size": -1}, "file-script"),
        ({"Digest": "x"}, "file-script"),
        ({"Kind": "surprise"}, "file-script"),
        ({"Path": ""}, "file-script"),
    ],
)
async def test_no_answer_is_trusted(tmp_path: Path, lie: dict[str, Any], code: str) -> None:
    """A host that lies about a file's name, size or content gets nothing written on the controller."""
    disk = Disk(a=b"content")
    disk.lie = lie
    disk.files["..\\..\\evil"] = b"content"
    seen = await play(tmp_path, disk, "- {id: a, target: all, fetch: {src: 'C:\\data\\a.bin', dest: got}}\n")
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == code
    assert not [path for path in (tmp_path / "got").rglob("*") if path.is_file()]


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that is not there fails the step, unless it may be missing."""
    step = "- {id: ID, target: all, fetch: {src: 'C:\\data\\no.bin', dest: got, missing: WORD}, needs: []}\n"
    steps = step.replace("ID", "a").replace("WORD", "fail") + step.replace("ID", "b").replace("WORD", "ok")
    seen = await play(tmp_path, Disk(), steps)
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.code == "fetch-missing"
    assert seen.result("b", "win").status is Status.OK
