"""What a host that speaks sh misses: one small script that only looks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

from runner.cli.doctor_finding import Finding
from runner.errors import HostError, Unreachable
from runner.plan.model import Placement
from runner.transport.port import Connection, Login, Stream, Transport

_CLOCK_SKEW = 5 * 60  # seconds; Kerberos refuses tickets beyond five minutes (RFC 4120, 8.2)
_OLDEST_PYTHON = (3, 6)
_PATIENCE = 30.0  # seconds for the script
_GRACE = 2.0

_SCRIPT = r"""
found() { command -v "$1" 2>/dev/null || true; }
say() { printf '{"check": "%s", "value": "%s"}\n' "$1" "$2"; }
say system "$(uname -sr)"
say user "$(id -un)"
say time "$(date +%s)"
for program in bash python3 dd sha256sum; do say "$program" "$(found "$program")"; done
say python "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
if [ -w "${TMPDIR:-/tmp}" ]; then say tmp yes; else say tmp ""; fi
"""


class _Kept:
    """Keeps standard output."""

    def __init__(self) -> None:
        self.output = bytearray()

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Keep output, drop errors."""
        if stream is Stream.STDOUT:
            self.output += data


async def ask(connection: Connection, script: str) -> str | None:
    """What a sh script prints; None where it cannot be run or does not end in time."""
    kept = _Kept()
    try:
        process = await connection.start(("sh", "-c", script), kept)
    except HostError:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.write_eof()
            await process.wait()
    except (TimeoutError, HostError):
        return None
    finally:
        await process.stop(_GRACE)
    return kept.output.decode(errors="replace")


async def look_at_posix(placement: Placement, transport: Transport, login: Login | None) -> list[Finding]:
    """Findings of one host; nothing is raised for what is wrong there."""
    host = placement.host
    try:
        connection = await transport.connect(placement.endpoint, login)
    except HostError as error:
        hint = next(iter(error.hints), "")
        return [
            Finding(
                host,
                "login",
                False,
                error.message.removesuffix("; nothing was run"),
                hint,
                unreachable=isinstance(error, Unreachable),
            )
        ]
    try:
        assert isinstance(connection, Connection)  # noqa: S101 - ssh and local start processes
        said = await ask(connection, _SCRIPT)
    finally:
        await connection.close()
    rows = _rows(said or "")
    if not {"user", "time"} <= set(rows):
        hint = "Windows over SSH speaks PowerShell: say `subsystem: powershell`"
        return [Finding(host, "login", ok=False, seen="logged in, and sh does not run there", hint=hint)]
    return list(_findings(host, rows))


def _rows(said: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    for line in said.splitlines():
        try:
            row = json.loads(line)
            rows[row["check"]] = str(row["value"])
        except (ValueError, TypeError, KeyError):
            continue  # what a start-up file of the login prints
    return rows


def _findings(host: str, seen: dict[str, str]) -> Iterator[Finding]:
    yield Finding(host, "login", ok=True, seen=f"{seen['user']} on {seen.get('system', 'an unknown system')}")
    for program, need in (
        ("bash", "steps with `shell: bash`"),
        ("dd", "large values"),
        ("sha256sum", "copy and fetch"),
    ):
        where = seen.get(program, "")
        yield Finding(host, program, bool(where), where or "missing", f"install it: {need} need it")
    version = seen.get("python", "")
    fits = version.replace(".", "").isdigit() and tuple(map(int, version.split("."))) >= _OLDEST_PYTHON
    hint = (
        "install python3 (3.6 or newer), or say `interpreter:` on the target, for steps with `shell: python`"
    )
    where = f"{seen.get('python3', '')} {version}".strip() or "missing"
    yield Finding(host, "python3", fits, where, hint)
    skew = abs(int(seen["time"]) - time.time()) if seen["time"].isdigit() else 0.0
    yield Finding(host, "clock", skew < _CLOCK_SKEW, f"{skew:.0f}s away", "set up time synchronisation")
    writable = bool(seen.get("tmp"))
    hint = "make the directory of TMPDIR, else /tmp, writable for the login"
    yield Finding(host, "temporary files", writable, "writable" if writable else "not writable", hint)
