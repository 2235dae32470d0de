"""`copy` and `fetch` over OpenSSH: whole or not at all, checked by digest, and a second run changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import stat
from pathlib import Path

import pytest

from tests.end_to_end.faults import OWN_SSHD
from tests.end_to_end.site import PATIENCE, Site
from tests.support.openssh import start

pytestmark = [pytest.mark.sshd]

MEBIBYTE = 1 << 20


def _large(path: Path, mebibytes: int) -> Path:
    path.write_bytes(
        b"".join(hashlib.sha512(bytes([n])).digest() * (MEBIBYTE // 64) for n in range(mebibytes))
    )
    return path


async def test_fifty_mebibytes_there_and_back(site: Site) -> None:
    """A large file arrives as it is, comes back as it is, and the second run finds nothing to do."""
    site.hosts("a")
    source = _large(site.folder / "large", 50)
    site.book(f"""\
        - {{id: put, target: all, copy: {{src: large, dest: "{site.folder}/there", mode: "0640"}}}}
        - {{id: take, target: all, fetch: {{src: "{site.folder}/there", dest: back}}}}
        """)
    first = await site.run()
    second = await site.run()
    for step, status in (("put", "changed"), ("take", "changed")):
        assert first.result(step, "a")["status"] == status, first.result(step, "a")
        assert (second.result(step, "a")["status"], second.result(step, "a")["changed"]) == ("ok", False)
    there = site.folder / "there"
    back = site.folder / "back" / "a" / str(there).lstrip("/")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert hashlib.sha256(there.read_bytes()).hexdigest() == digest
    assert hashlib.sha256(back.read_bytes()).hexdigest() == digest
    assert stat.S_IMODE(there.stat().st_mode) == 0o640


async def test_owner_mode_backup_and_validation(site: Site) -> None:
    """Mode and owner are as asked for, a backup keeps the old file, and what `validate` refuses is not put there."""
    site.hosts("a")
    folder = site.folder
    for name in ("kept", "refused", "moded"):
        (folder / name).write_text("old\n")
    (folder / "moded").chmod(0o600)
    owner, group = ("daemon", "daemon") if os.getuid() == 0 else (str(os.getuid()), str(os.getgid()))
    done = await site.run_steps(f"""\
        - {{id: owned, target: all, copy: {{content: "new\\n", dest: "{folder}/owned", mode: 0750,
           owner: "{owner}", group: "{group}"}}}}
        - {{id: backed, needs: [], target: all, copy: {{content: "new\\n", dest: "{folder}/kept", backup: true}}}}
        - {{id: refused, needs: [], target: all,
           copy: {{content: "bad\\n", dest: "{folder}/refused", validate: "grep -q good %s"}}}}
        - {{id: moded, needs: [], target: all, copy: {{content: "old\\n", dest: "{folder}/moded", mode: "u=rw,go=r"}}}}
        - {{id: nowhere, needs: [], target: all, copy: {{content: x, dest: "{folder}/no/such/place"}}}}
        """)
    owned = (folder / "owned").stat()
    assert (stat.S_IMODE(owned.st_mode), (folder / "owned").read_text()) == (0o750, "new\n")
    assert owned.st_uid == (1 if os.getuid() == 0 else os.getuid())
    (backup,) = [path for path in folder.iterdir() if path.name.startswith("kept.")]
    assert (backup.read_text(), (folder / "kept").read_text()) == ("old\n", "new\n")
    refused = done.result("refused", "a")
    assert (refused["status"], refused["failure"]["code"]) == ("failed", "validation-failed")
    assert (folder / "refused").read_text() == "old\n"
    assert (done.result("moded", "a")["changed"], stat.S_IMODE((folder / "moded").stat().st_mode)) == (
        True,
        0o644,
    )
    assert "no directory" in done.result("nowhere", "a")["failure"]["message"]
    assert [path.name for path in folder.iterdir() if path.name.startswith(".runner-")] == []


async def test_link_cut_while_a_file_is_sent(site: Site) -> None:
    """The line is cut in the middle of a file: the old file stands, whole, and no part of the new one is left."""
    site.hosts("a")
    _large(site.folder / "large", 60)
    there = site.folder / "there"
    there.mkdir()
    (there / "file").write_text("old")
    indented = OWN_SSHD.replace("\n", "\n            ")
    done = await site.run_steps(f"""\
        - {{id: armed, needs: [], target: all, script: 'until [ -e {site.folder}/armed ]; do sleep 0.05; done'}}
        - {{id: put, target: all, copy: {{src: large, dest: "{there}/file"}}}}
        - id: cut
          needs: []
          target: all
          timeout: 30s
          script: |
            {indented}
            touch {site.folder}/armed
            until [ -n "$(find {there} -name '.runner-*' -size +100k)" ]; do :; done
            kill -KILL "$(own_sshd)"
            sleep 30
        """)
    put = done.result("put", "a")
    assert (put["status"], put["failure"]["may_have_run"]) == ("failed", True)
    async with asyncio.timeout(PATIENCE):
        while len(list(there.iterdir())) > 1:
            await asyncio.sleep(0.05)
    assert (there / "file").read_text() == "old"


async def test_disk_that_is_full(site: Site, tmp_path: Path) -> None:
    """A host that cannot store the file says why; the old file stands, and nothing else is left behind."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEBIBYTE, limits[1]))  # what the host's processes inherit
    try:
        small = start(tmp_path / "small")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    try:
        (small.folder / "authorized_keys").write_bytes(
            site.server.client_key.with_suffix(".pub").read_bytes()
        )
        site.know(small)
        site.hosts("a", port=small.port)
        _large(site.folder / "large", 3)
        there = site.folder / "there"
        there.mkdir()
        (there / "file").write_text("old")
        done = await site.run_steps(f'- {{id: put, target: all, copy: {{src: large, dest: "{there}/file"}}}}')
    finally:
        small.stop()
    failure = done.result("put", "a")["failure"]
    assert (done.code, failure["code"]) == (1, "destination-write")
    assert ([path.name for path in there.iterdir()], (there / "file").read_text()) == (["file"], "old")


async def test_fetch_of_many(site: Site) -> None:
    """Patterns, missing files, sizes and collisions: all is decided before anything is written."""
    site.hosts("a", "b")
    logs = site.folder / "logs"
    logs.mkdir()
    for number in range(5):
        (logs / f"{number}.log").write_bytes(bytes(range(256)) * number)
    done = await site.run_steps(f"""\
        - {{id: some, target: all, fetch: {{src: ["{logs}/*.log", "{logs}/1.log"], dest: some}}}}
        - {{id: none, needs: [], target: all, fetch: {{src: "{logs}/none", dest: none}}}}
        - {{id: maybe, needs: [], target: all, fetch: {{src: "{logs}/none*", dest: maybe, missing: ok}}}}
        - {{id: large, needs: [], target: all, fetch: {{src: "{logs}/*.log", dest: large, max_size: 600}}}}
        - {{id: flat, needs: [], target: all, fetch: {{src: "{logs}/3.log", dest: flat/, flat: true}}}}
        - {{id: folder, needs: [], target: all, fetch: {{src: "{logs}", dest: folder}}}}
        """)
    for host in "ab":
        assert len(done.output("some", host)) == 5
        for number in range(5):
            back = site.folder / "some" / host / str(logs).lstrip("/") / f"{number}.log"
            assert back.read_bytes() == bytes(range(256)) * number
    assert done.result("none", "a")["failure"]["code"] == "fetch-missing"
    assert (done.statuses("maybe")["a"], done.output("maybe", "a")) == ("ok", [])
    assert done.result("large", "b")["failure"]["code"] == "fetch-too-large"
    assert sorted(done.statuses("flat").values()) == ["changed", "failed"]
    (collided,) = [host for host, status in done.statuses("flat").items() if status == "failed"]
    assert done.result("flat", collided)["failure"]["code"] == "fetch-collision"
    assert done.result("folder", "a")["failure"]["code"] == "fetch-directory"
    assert not (site.folder / "large").exists()
    assert not (site.folder / "none").exists()


async def test_names_that_are_hostile(site: Site) -> None:
    """Whatever a file on the host is called, it comes back under that name, and nowhere but below the directory."""
    site.hosts("a")
    odd = site.folder / "odd"
    odd.mkdir()
    names = ["-rf", "a b", "q'\"`$(touch x)`", "new\nline", "star*", "-", "é", "x..", "tab\t", "back\\slash"]
    for name in names:
        (odd / name).write_text(name)
    (Path(os.fsdecode(os.fsencode(odd) + b"/\xff\xfe"))).write_text("bytes")
    done = await site.run_steps(
        f"""\
        - {{id: take, target: all, fetch: {{src: "{odd}/*", dest: back}}}}
        - {{id: put, target: all, copy: {{content: "text", dest: "{odd}/-it's \\"$(odd)\\" *"}}}}
        """
    )
    assert done.code == 0, done.stdout
    back = site.folder / "back" / "a" / str(odd).lstrip("/")
    assert {path.name: path.read_text() for path in back.iterdir()} == {name: name for name in names} | {
        os.fsdecode(b"\xff\xfe"): "bytes"
    }
    assert (odd / '-it\'s "$(odd)" *').read_text() == "text"
