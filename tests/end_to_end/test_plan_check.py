"""Drift over a real sshd: files changed behind the playbook's back, found by `plan --check` and by an applied plan."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.end_to_end.site import PATIENCE, Finished, Site

pytestmark = [pytest.mark.sshd]


async def type_(site: Site, *words: str) -> Finished:
    """Type a command in the site's folder."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "runner", *words],
        cwd=site.folder,
        env=site.variables(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


@pytest.fixture
def drift(site: Site, tmp_path: Path) -> Path:
    """Two hosts with a file each that the playbook wrote."""
    site.hosts("a", "b")
    site.book(
        f"""\
        - id: motd
          target: all
          copy: {{content: "welcome\\n", dest: "{tmp_path}/motd.{{{{ inventory_hostname }}}}"}}
        """
    )
    for host in ("a", "b"):
        (tmp_path / f"motd.{host}").write_text("welcome\n", encoding="utf-8")
    return tmp_path


async def test_a_file_changed_out_of_band_is_found(site: Site, drift: Path) -> None:
    """Exit code 5, on that host alone, with what stands there and what would; nothing is changed."""
    (drift / "motd.b").write_text("hacked\n", encoding="utf-8")
    words = ("plan", "book.yml", "-i", "inventory.yml", "--check", "--diff", "-o", "json")
    done = await type_(site, *words, "--record", "nights")
    assert done.code == 5, done.stderr
    assert {r["host"]: r["would_change"] for r in done.document["results"]} == {"a": False, "b": True}
    assert done.result("motd", "b")["difference"]["before"] == "hacked\n"
    assert (drift / "motd.b").read_text(encoding="utf-8") == "hacked\n"
    listed = await type_(site, "runs", "list", "--record", "nights", "-o", "json")
    assert [(one["kind"], one["exit_code"]) for one in json.loads(listed.stdout)] == [("check", 5)]


async def test_an_unreachable_host_comes_before_a_difference(site: Site, drift: Path) -> None:
    """Exit code 3 where a host cannot be asked, whatever the others differ in."""
    (drift / "motd.b").write_text("hacked\n", encoding="utf-8")
    site.hosts("a", "b", port=1)
    done = await type_(site, "plan", "book.yml", "-i", "inventory.yml", "--check", "-o", "json")
    assert done.code == 3, done.stderr


async def test_an_applied_plan_mends_it(site: Site, drift: Path) -> None:
    """The plan of a run, made before, is applied over SSH; afterwards nothing differs."""
    (drift / "motd.b").write_text("hacked\n", encoding="utf-8")
    assert (await type_(site, "plan", "book.yml", "-i", "inventory.yml", "--out", "p.plan")).code == 0
    done = await type_(site, "apply", "p.plan", "-o", "json")
    assert done.code == 0, done.stderr
    assert done.statuses("motd") == {"a": "ok", "b": "changed"}
    assert (drift / "motd.b").read_text(encoding="utf-8") == "welcome\n"
    assert (await type_(site, "plan", "book.yml", "-i", "inventory.yml", "--check", "-o", "quiet")).code == 0
