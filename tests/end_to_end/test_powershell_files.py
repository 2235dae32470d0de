"""`copy` and `fetch` over PowerShell remoting with a real engine: what its scripts do cannot be replayed."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site
from tests.support.openssh import OpenSsh

pytestmark = [pytest.mark.pwsh(real=True), pytest.mark.sshd]

BYTES = bytes(range(256)) * 9000


@pytest.fixture
async def site(tmp_path: Path, server: OpenSsh) -> AsyncIterator[Site]:
    """A site with one host that is this machine's own PowerShell."""
    empty = Site(tmp_path / "site", server)
    connection = {"transport": "local", "shell": "powershell"}
    empty.write("inventory.yml", json.dumps({"version": 1, "connection": connection, "hosts": {"win": {}}}))
    yield empty
    await empty.close()


async def copy(site: Site, **fields: Any) -> dict[str, Any]:
    """The result of one copy."""
    site.book("- " + json.dumps({"id": "a", "target": "all", "copy": fields}) + "\n")
    return (await site.run()).result("a", "win")


@pytest.mark.parametrize("content", [b"", b"\r\n\0\xff", BYTES])
async def test_a_copy_is_the_file(site: Site, content: bytes) -> None:
    """Every byte arrives; a second copy changes nothing."""
    (site.folder / "source").write_bytes(content)
    target = site.folder / "there" / "file"
    target.parent.mkdir()
    assert (await copy(site, src="source", dest=str(target)))["status"] == "changed"
    assert target.read_bytes() == content
    assert (await copy(site, src="source", dest=str(target)))["status"] == "ok"
    assert list(target.parent.iterdir()) == [target]


async def test_mode_backup_and_kept_permissions(site: Site) -> None:
    """A mode is set, a replaced file keeps its own where none is asked for, and the old one is kept beside it."""
    target = site.folder / "file"
    target.write_text("old")
    target.chmod(0o640)
    (entry,) = (await copy(site, content="new", dest=str(target), backup=True))["output"]
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)
    assert Path(entry["backup"]).read_text() == "old"
    await copy(site, content="new", dest=str(target), mode="0600")
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("validate", "status"),
    [
        ("Get-Content", "changed"),
        ("sh -c 'echo fine >&2'", "changed"),
        ("throw", "failed"),
        ("sh -c 'exit 3'", "failed"),
        ("Get-Item /nope%s", "failed"),
    ],
)
async def test_validation_decides(site: Site, validate: str, status: str) -> None:
    """A file that its check refuses, by an exception, an exit code or an error, is not put in place; nothing stays."""
    folder = site.folder / "there"
    folder.mkdir()
    result = await copy(site, content="new", dest=str(folder / "file"), validate=validate)
    assert result["status"] == status
    assert [p.name for p in folder.iterdir()] == (["file"] if status == "changed" else [])


async def test_a_name_is_no_pattern(site: Site) -> None:
    """`a[1]` is that file and not `a1`, though PowerShell on Unix hands programs what a pattern matches."""
    folder = site.folder / "there"
    folder.mkdir()
    named, other = folder / "a[1]", folder / "a1"
    other.write_text("other")
    other.chmod(0o644)
    assert (await copy(site, content="new", dest=str(named), mode="0600"))["status"] == "changed"
    assert (await copy(site, content="new", dest=str(named), mode="0640"))["status"] == "changed"
    assert (named.read_text(), named.stat().st_mode & 0o777) == ("new", 0o640)
    assert (other.read_text(), other.stat().st_mode & 0o777) == ("other", 0o644)


@pytest.mark.parametrize(
    ("dest", "code"),
    [
        ("/nope/file", "destination-parent"),
        ("/tmp", "destination-directory"),
        ("/dev/null", "destination-special"),
    ],
)
async def test_refusals_have_their_own_words(site: Site, dest: str, code: str) -> None:
    """What cannot be a destination is refused with the same codes as over sh."""
    result = await copy(site, content="x", dest=dest)
    assert result["failure"]["code"] == code, result["failure"]


async def test_a_copy_leaves_its_session_alone(site: Site) -> None:
    """A copy works under the strict mode of its session, and touches neither its last exit code nor its errors."""
    steps = [
        {"id": "a", "session": "warm", "script": "Set-StrictMode -Version Latest; sh -c 'exit 5'"},
        {
            "id": "b",
            "session": "warm",
            "copy": {"content": "x", "dest": str(site.folder / "new"), "mode": "0600"},
        },
        {"id": "c", "session": "warm", "script": "$LASTEXITCODE; $Error.Count"},
    ]
    site.book("".join(f"- {json.dumps(step)}\n" for step in steps))
    finished = await site.run()
    assert finished.statuses("b") == {"win": "changed"}, finished.result("b", "win")["failure"]
    assert finished.output("c", "win") == [5, 0]


async def test_a_link_stays_a_link(site: Site) -> None:
    """A link at the destination is followed, as over sh."""
    real, link = site.folder / "real", site.folder / "link"
    real.write_text("old")
    link.symlink_to(real)
    await copy(site, content="new", dest=str(link))
    assert link.is_symlink()
    assert real.read_text() == "new"


async def test_fetch_takes_files_and_patterns(site: Site) -> None:
    """Files named by path and by pattern arrive byte for byte, hidden ones not; a directory is refused."""
    there = site.folder / "logs"
    there.mkdir()
    (there / "a.log").write_bytes(BYTES)
    (there / "b.log").write_bytes(b"")
    (there / ".c.log").write_bytes(b"hidden")
    os.mkfifo(there / "pipe")
    steps = [
        {"id": "a", "target": "all", "fetch": {"src": f"{there}/*.log", "dest": "got"}},
        {"id": "b", "target": "all", "needs": [], "fetch": {"src": str(there), "dest": "got"}},
        {"id": "c", "target": "all", "needs": [], "fetch": {"src": f"{there}/pipe", "dest": "got"}},
    ]
    site.book("".join(f"- {json.dumps(step)}\n" for step in steps))
    finished = await site.run()
    below = site.folder / "got" / "win" / there.relative_to("/")
    assert [(below / name).read_bytes() for name in ("a.log", "b.log")] == [BYTES, b""], finished.stdout
    assert not (below / ".c.log").exists()
    assert finished.result("b", "win")["failure"]["code"] == "fetch-directory"
    assert finished.result("c", "win")["failure"]["code"] == "fetch-unreadable"


async def test_settings_of_a_session_are_put_back(site: Site) -> None:
    """Strict mode, preferences, environment and location of one step are gone for the next one in its session."""
    told = "(Get-Location).Path; $ErrorActionPreference; $env:LAB; try { $nothing_of_this_name; 'off' } catch { 'on' }"
    changed: dict[str, Any] = {
        "strict_mode": "latest",
        "error_action": "stop",
        "environment": {"LAB": "y"},
        "working_directory": "/tmp",
    }
    steps = [
        {"id": "a", "session": "warm", "script": told},
        {"id": "b", "session": "warm", "script": told, **changed},
        {"id": "c", "session": "warm", "script": told},
        {"id": "d", "session": "warm", "script": "1", "working_directory": "/nope", "ignore_errors": True},
    ]
    site.book("".join(f"- {json.dumps(step)}\n" for step in steps))
    finished = await site.run()
    assert finished.output("b", "win") == ["/tmp", "Stop", "y", "on"]
    assert finished.output("c", "win") == finished.output("a", "win")
    assert finished.result("d", "win")["failure"]["code"] == "working-directory"


async def test_native_exit_code_is_asked_for(site: Site) -> None:
    """`native_exit_code` gives the code of the step's own native program, never that of an earlier one."""
    steps = [
        {"id": "a", "session": "warm", "native_exit_code": True, "script": "sh -c 'exit 5'; 'out'"},
        {"id": "b", "session": "warm", "native_exit_code": True, "script": "'none'"},
    ]
    site.book("".join(f"- {json.dumps(step)}\n" for step in steps))
    finished = await site.run()
    assert (finished.result("a", "win")["exit_code"], finished.result("a", "win")["status"]) == (5, "ok")
    assert finished.result("b", "win")["exit_code"] is None


@pytest.mark.parametrize(("stop", "told"), [("pipeline", "still runs"), ("process_tree", "was ended too")])
async def test_what_outlives_a_stop_is_told(site: Site, stop: str, told: str) -> None:
    """A stop ends the native program; what that program had started is named, or ended where the step says so."""
    step = {"id": "a", "target": "all", "script": "sh -c 'sleep 40; echo x'", "timeout": "10s", "stop": stop}
    site.book(f"- {json.dumps(step)}\n")
    message = (await site.run()).result("a", "win")["failure"]["message"]
    assert "`sleep`" in message
    assert told in message
