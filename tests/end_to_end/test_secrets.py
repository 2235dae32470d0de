"""Secrets that scripts print on purpose: nothing that a run shows or leaves behind holds them, no process list does."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.faults import password_server
from tests.end_to_end.site import REPOSITORY, Finished, Site
from tests.support.openssh import OpenSsh, make_key, running

pytestmark = [pytest.mark.sshd]

_PIECE = 10
"""Characters of a canary that give it away: half a secret in a log is a leak too."""

HEAD = """\
inputs:
  token: {type: string, secret: true}
credentials:
  ops: {username: root, password: {file: secret/password}}
  locked: {username: USER, private_key: {file: secret/key}, passphrase: {file: secret/passphrase}}
targets: {all: {hosts: all}, py: {hosts: all, shell: python}, bash: {hosts: all, shell: bash}}
sessions: {warm: {target: all}, snake: {target: py}}
"""

STEPS = """\
- id: said
  target: all
  script: |
    p=${Using:credentials.ops.password} t=$Using:token
    echo "password $p token $t, joined $p$t"
    echo "on stderr $p" >&2
    printf %s "in two${p%??????????}"; sleep 0.2; printf '%s\\n' "${p#??????????????}"
    sleep 0.5
- id: kept
  session: warm
  script: |
    t=$Using:token
    echo "kept $t"; sleep 0.5
- {id: again, session: warm, script: 'echo "still $t"'}
- id: failing
  needs: []
  target: all
  ignore_errors: true
  script: |
    t=$Using:token
    "no-such-$t"
    echo "$t" >&2
    exit 3
- id: raising
  needs: []
  session: snake
  ignore_errors: true
  script: |
    import time
    secret = $Using:credentials.ops
    time.sleep(0.5)
    print([secret, $Using:token])
    raise ValueError("bad token " + $Using:token + secret["password"])
- {id: exits, needs: [], target: py, ignore_errors: true, script: 'import sys; sys.exit("x" + $Using:token)'}
- {id: objects, needs: [], target: py, output: json, register: objects,
   script: 'import json; print(json.dumps({"a": [$Using:token], $Using:token: 1}))'}
- {id: unread, needs: [], target: py, output: json, ignore_errors: true,
   script: 'print("oops " + "x" * 25 + $Using:token)'}
- {id: bytes, needs: [], target: py,
   script: 'import sys; sys.stdout.buffer.write(b"\\xff" + $Using:token.encode() + b"\\n")'}
- {id: early, needs: [], target: all, timeout: 2s, ignore_errors: true,
   script: 't=$Using:token; echo "late $t"; sleep 60'}
- id: looped
  needs: []
  target: all
  loop: ["{{ token }}", "x{{ token }}"]
  script: 'i=$Using:item; echo "item $i"'
- {id: skips, needs: [objects], target: all, when: "objects.output.a[0] != token", script: 'true'}
- {id: judged, needs: [objects], target: all, ignore_errors: true, script: 'echo $Using:token',
   failed_when: "token in result.output[0]"}
- {id: asserted, needs: [], target: all, ignore_errors: true, assert: {that: "token == 'x'", message: "is {{ token }}"}}
- {id: templated, needs: [], target: all, ignore_errors: true, vars: {n: "{{ [token][5] }}"}, script: 'echo $Using:n'}
- {id: program, needs: [], target: all, ignore_errors: true, command: {name: "/no/{{ token }}"}}
- {id: local, needs: [], script: 't=$Using:token; echo "here $t"; sleep 0.5'}
- {id: nowhere, needs: [], target: all, ignore_errors: true, copy: {content: "{{ token }}", dest: "/no/{{ token }}/x"}}
- {id: missing, needs: [], target: all, ignore_errors: true, fetch: {src: "/no/{{ token }}", dest: back}}
- id: longline
  needs: []
  target: py
  script: |
    import sys
    sys.stdout.write("y" * (65536 - 12) + $Using:token + "\\n")
    sys.stdout.write(("x" * 1023 + "\\n") * 1022 + "z" * 800)
    sys.stdout.write($Using:token * 20 + "\\n" + "end " + $Using:token + "\\n")
- id: longtext
  needs: []
  target: py
  output: text
  script: |
    import sys
    sys.stdout.write("x" * ((1 << 20) - 12) + $Using:token + "x" * 1000)
    sys.stderr.write("x" * ((1 << 20) - 12) + $Using:token + "x" * 1000)
"""

SHOWN = ["json", "jsonl", "plain", "rich", "quiet"]


@dataclass(frozen=True)
class Secrets:
    """The canaries, and where alone they may stand."""

    canaries: dict[str, str]
    folder: Path

    def found_in(self, data: bytes) -> set[str]:
        """Names of the canaries of which a piece is in the data."""
        text = data.decode(errors="replace")
        return {
            name
            for name, canary in self.canaries.items()
            if any(canary[start : start + _PIECE] in text for start in range(len(canary) - _PIECE + 1))
        }


@asynccontextmanager
async def watched(known: Secrets) -> AsyncIterator[set[str]]:
    """Look again and again at argv and environment of every process; gives the set of what was seen."""
    seen: set[str] = set()

    async def watch() -> None:
        while True:
            for path in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        data = (path / name).read_bytes()
                    except OSError:
                        continue  # it has ended
                    seen.update(f"{found} in {name}: {data[:200]!r}" for found in known.found_in(data))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


@dataclass(frozen=True)
class Shown:
    """What all runs showed and left behind."""

    known: Secrets
    runs: dict[str, Finished]
    seen: set[str]
    site: Site
    temporary: Path


async def _run_all(folder: Path, server: OpenSsh, temporary: Path) -> Shown:
    site = Site(folder / "site", server)
    canaries = {name: secrets.token_hex(12) for name in ("password", "token", "passphrase")}
    known = Secrets(canaries, site.folder / "secret")
    known.folder.mkdir()
    for name, canary in canaries.items():
        (known.folder / name).write_text(canary + "\n")
    key = make_key(known.folder / "key", passphrase=canaries["passphrase"])
    with (server.folder / "authorized_keys").open("a") as allowed:
        allowed.write(key.with_suffix(".pub").read_text())
    canaries["key"] = key.read_text().split("\n")[-4]
    site.write("secret/values.json", json.dumps({"token": canaries["token"]}))
    site.book(STEPS, HEAD.replace("USER", server.user))
    site.environment["TMPDIR"] = str(temporary)
    # Every library at DEBUG, as somebody's own settings of logging may have it.
    site.write("python/sitecustomize.py", "import logging\nlogging.root.setLevel(logging.DEBUG)\n")
    site.environment["PYTHONPATH"] = f"{site.folder / 'python'}:{REPOSITORY}"
    async with password_server(server.folder / "host_key", known.folder / "password") as port:
        hosts = {
            "locked": {"address": "127.0.0.1", "connection": {"port": server.port, "credential": "locked"}},
            "asked": {"address": "127.0.0.1", "connection": {"port": port, "credential": "ops"}},
            "refused": {"address": "127.0.0.1", "connection": {"port": port, "credential": "locked"}},
        }
        with (site.home / ".ssh" / "known_hosts").open("a") as lines:
            lines.write(f"[127.0.0.1]:{port} {server.host_key}\n")
        inventory = {"version": 1, "connection": {"transport": "ssh"}, "hosts": hosts}
        site.write("inventory.yml", json.dumps(inventory))
        async with watched(known) as seen:
            extra = ["-e", "@secret/values.json", "-vv", "-o", "jsonl=lines.jsonl", "-o", "plain=plain.txt"]
            json_run = site.run(*extra, "--record", "kept", "--trace", "trace.log")
            rest = [site.run("-e", "@secret/values.json", "-vv", output=name) for name in SHOWN[1:]]
            done = await asyncio.gather(json_run, *rest)
    return Shown(known, dict(zip(SHOWN, done, strict=True)), seen, site, temporary)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The runs, made once, on a server with a directory for temporary files of its own."""
    folder = tmp_path_factory.mktemp("secrets")
    temporary, home = folder / "tmp", folder / "sshd" / "remote-home"
    temporary.mkdir()
    with running(folder / "sshd", {"SetEnv": f"HOME={home} TMPDIR={temporary}"}) as server:
        yield asyncio.run(_run_all(folder, server, temporary))


def test_the_scripts_did_print_them(shown: Shown) -> None:
    """The runs did what they were to do: the steps ran on the hosts, and stars stand in their output."""
    done = shown.runs["json"]
    assert done.statuses("said") == {"locked": "ok", "asked": "ok", "refused": "unreachable"}, done.stderr
    assert done.output("said", "asked")[0] == "password ******** token ********, joined ********"
    assert done.output("kept", "locked") == ["kept ********"]
    assert done.output("objects", "asked") == {"a": ["********"], "********": 1}
    assert done.result("raising", "asked")["errors"][0]["message"] == "bad token ********"
    assert done.result("judged", "locked")["failure"]["code"] == "failed-when"
    assert done.result("early", "locked")["output"] == ["late ********"]
    (of_bytes,) = done.output("bytes", "asked")
    assert base64.b64decode(of_bytes["$bytes"]) == b"\xff********"


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_that_is_shown_holds_one(shown: Shown, name: str) -> None:
    """Standard output and standard error of each format, most verbose, hold not even a part of a secret."""
    done = shown.runs[name]
    text = done.stdout + done.stderr
    assert done.code == 3 or "Traceback" not in done.stderr, done.stderr
    for line in text.splitlines():
        assert not shown.known.found_in(line.encode()), line[:2000]


def test_nothing_that_is_kept_holds_one(shown: Shown) -> None:
    """No file of the runs does: documents, events, spooled output, temporary files here and on the hosts."""
    roots = [shown.site.folder, shown.temporary, shown.site.server.folder]
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    assert any("output" in path.parts for path in files), "no output was spooled"
    kept = [path for path in files if not path.is_relative_to(shown.known.folder)]
    found = {str(path): names for path in kept if (names := shown.known.found_in(path.read_bytes()))}
    assert found == {}
    assert list(shown.temporary.iterdir()) == []


def test_the_trace_tells_of_what_held_one(shown: Shown) -> None:
    """What was sent, answered and decided is in the trace, which the test above looks for secrets in."""
    trace = (shown.site.folder / "trace.log").read_text()
    for told in ("said on asked: starts", "data bytes", "Auth for user", "********"):
        assert told in trace, f"{told}\n{trace[:4000]}"


def test_no_process_shows_one(shown: Shown) -> None:
    """No argument and no environment of any process held one at any time, on the controller or on the hosts."""
    assert shown.seen == set()
