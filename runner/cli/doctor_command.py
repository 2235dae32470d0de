"""``runner doctor``: what is missing on this controller and on the targets, each with the way to mend it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from runner import __version__
from runner.cli.complain import complain, use_color
from runner.cli.options import inventory_option, problem_output_option
from runner.cli.prepare import Given, prepare
from runner.engine.observe import AssignmentEnded, RunEvent
from runner.engine.result import Result, Status
from runner.errors import ExitCode
from runner.present.paint import Painter, Piece, Role, line

EXAMPLES = """\b
Examples:
  runner doctor                                this controller
  runner doctor -i inventories/prod.yml web    and every host of `web`
  runner doctor -i prod.yml all -o json

Exit code 1 where something is missing, 3 where a host cannot be reached."""

_CLOCK_SKEW = 5 * 60  # seconds; Kerberos refuses tickets beyond five minutes (RFC 4120, 8.2)
_OLDEST_PYTHON = (3, 6)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: where, whether it is well, what was seen, and what to do where it is not."""

    place: str
    check: str
    ok: bool
    seen: str
    hint: str = ""
    unreachable: bool = False


@click.command(epilog=EXAMPLES)
@click.argument("target", nargs=-1)
@inventory_option
@problem_output_option
def command(target: tuple[str, ...], inventory: tuple[str, ...], output: str) -> int:
    """Look at this controller, and at the hosts of TARGET patterns, for what a run would miss.

    Hosts are connected to as a run would do it; one small script looks and changes nothing.
    """
    findings = list(_controller())
    if target or inventory:
        checked = _hosts(",".join(target) or "all", inventory)
        if checked is None:
            return ExitCode.REFUSED
        findings += checked
    _print(findings, as_json=output == "json")
    if any(not finding.ok and not finding.unreachable for finding in findings):
        return ExitCode.FAILED
    return ExitCode.UNREACHABLE if any(finding.unreachable for finding in findings) else ExitCode.SUCCESS


def _controller() -> Iterator[Finding]:
    here = "controller"
    yield Finding(here, "runner", ok=True, seen=f"{__version__} on Python {platform.python_version()}")
    from yaml import __with_libyaml__  # noqa: PLC0415 - only doctor asks

    hint = "install PyYAML from a wheel, or libyaml's headers before building it: large inventories load slowly without"
    yield Finding(
        here, "libyaml", ok=bool(__with_libyaml__), seen="yes" if __with_libyaml__ else "no", hint=hint
    )
    for program in ("sh", "bash", "python3"):
        where = shutil.which(program)
        yield Finding(
            here, program, ok=bool(where), seen=where or "missing", hint=f"install {program} for local steps"
        )
    keys = sorted(path.name for path in (Path.home() / ".ssh").glob("id_*") if path.suffix != ".pub")
    agent = "SSH_AUTH_SOCK" in os.environ
    seen = ", ".join([*keys, *(["an agent"] if agent else [])])
    yield Finding(here, "ssh keys", ok=True, seen=seen or "none, and no agent: logins need a credential")


class _Collector:
    """Keeps the results of the doctor's own run."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def on_event(self, event: RunEvent) -> None:
        """Keep results, let everything else pass."""
        if isinstance(event, AssignmentEnded):
            self.results.append(event.result)


def _hosts(pattern: str, inventory: Sequence[str]) -> list[Finding] | None:
    """Findings of every host; None where playbook or inventory were refused, which is told."""
    import asyncio  # noqa: PLC0415 - only with targets

    from runner.cli.running import Interruption, run_under_signals  # noqa: PLC0415
    from runner.credentials.redact import Redactor  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.yml"
        path.write_text(
            files("runner.cli").joinpath("doctor.yml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        if not inventory:
            text = path.read_text(encoding="utf-8").replace(
                "hosts: all", f"hosts: {json.dumps(pattern.split(','))}"
            )
            path.write_text(text, encoding="utf-8")
        prepared = prepare(str(path), Given(inventory=inventory, limit=pattern if inventory else None))
        if prepared.plan is None:
            complain(prepared.problems.sorted(), prepared.sources)
            return None
        collector = _Collector()
        asyncio.run(
            run_under_signals(
                prepared.plan,
                prepared.plan.logins,
                collector,
                Redactor(),
                Interruption(),
                Path(folder) / "output",
            )
        )
    order = {host: number for number, host in enumerate(prepared.plan.hosts)}
    results = sorted(collector.results, key=lambda result: order[result.host])
    return [finding for result in results for finding in _of_host(result)]


def _of_host(result: Result) -> Iterator[Finding]:
    host = result.host
    if result.status not in {Status.OK, Status.CHANGED}:
        failure = result.failure
        words = failure.message if failure else result.status.value
        hint = failure.hints[0] if failure and failure.hints else ""
        yield Finding(
            host, "login", ok=False, seen=words, hint=hint, unreachable=result.status is Status.UNREACHABLE
        )
        return
    seen = {row["check"]: row["value"] for row in result.output if isinstance(row, dict)}
    yield Finding(host, "login", ok=True, seen=f"{seen['user']} on {seen['system']}")
    for program, need in (
        ("bash", "steps with `shell: bash`"),
        ("dd", "large values"),
        ("sha256sum", "copy and fetch"),
    ):
        where = seen[program]
        yield Finding(
            host, program, ok=bool(where), seen=where or "missing", hint=f"install it: {need} need it"
        )
    version = seen["python"]
    fits = bool(version) and tuple(int(part) for part in version.split(".")) >= _OLDEST_PYTHON
    hint = (
        "install python3 (3.6 or newer), or say `interpreter:` on the target, for steps with `shell: python`"
    )
    yield Finding(
        host, "python3", ok=fits, seen=f"{seen['python3']} {version}".strip() or "missing", hint=hint
    )
    skew = abs(int(seen["time"]) - time.time())
    yield Finding(
        host, "clock", ok=skew < _CLOCK_SKEW, seen=f"{skew:.0f}s away", hint="set up time synchronisation"
    )
    yield Finding(
        host, "temporary files", ok=bool(seen["tmp"]), seen="writable" if seen["tmp"] else "not writable"
    )


def _print(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        document = [
            {
                "place": f.place,
                "check": f.check,
                "ok": f.ok,
                "seen": f.seen,
                "hint": None if f.ok else f.hint or None,
            }
            for f in findings
        ]
        click.echo(json.dumps({"findings": document}, indent=2, ensure_ascii=False))
        return
    width = max(len(finding.check) for finding in findings)
    painter, lines, place = Painter(use_color(sys.stdout)), [], ""
    for finding in findings:
        if finding.place != place:
            lines += [*([line("")] if place else []), line(Piece(finding.place, Role.STRONG))]
            place = finding.place
        mark = Piece("ok   ", Role.GOOD) if finding.ok else Piece("MISS ", Role.BAD)
        lines.append(line("  ", mark, f"{finding.check:<{width}}  {finding.seen}"))
        if not finding.ok and finding.hint:
            lines.append(line("       ", " " * width, f"  hint: {finding.hint}"))
    click.echo(painter.paint_all(lines), nl=False)
