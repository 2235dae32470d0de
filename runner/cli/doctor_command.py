"""``runner doctor``: what is missing on this controller and on the targets, each with the way to mend it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory

import click

from runner.cli.complain import complain, use_color
from runner.cli.doctor_controller import look_here
from runner.cli.doctor_finding import Finding
from runner.cli.doctor_report import report, told_of_hosts
from runner.cli.options import extra_option, inventory_option, login_options, option, problem_output_option
from runner.cli.prepare import Given, Prepared, prepare
from runner.cli.run_command import asked_password, read_logins
from runner.errors import ExitCode
from runner.present.paint import Painter

EXAMPLES = """\b
Examples:
  runner doctor                                this controller
  runner doctor -i inventories/prod.yml web    and every host of `web`
  runner doctor -i prod.yml -p patch.yml       every host of patch.yml, as it logs in there
  runner doctor -i prod.yml --shell powershell web01
  runner doctor -i prod.yml all -o json

Exit code 1 where something is missing, 3 where a host cannot be reached."""

# One step that every shell takes; it is planned and never run.
_PLAYBOOK = """\
version: 1
name: Doctor
steps:
  - hosts: {hosts}
    command: hostname
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", nargs=-1)
@inventory_option
@option(
    "-p",
    "--playbook",
    type=click.Path(dir_okay=False),
    metavar="PATH",
    help="Look at the hosts of this playbook, with its credentials and its settings.",
)
@extra_option
@login_options
@problem_output_option
def command(
    target: tuple[str, ...],
    inventory: tuple[str, ...],
    playbook: str | None,
    extra: tuple[str, ...],
    ask_password: bool,
    output: str,
    **given: object,
) -> int:
    """Look at this controller, and at the hosts of TARGET patterns, for what a run would miss.

    Hosts are connected to as a run would do it. On Linux one small script looks; on PowerShell hosts (WinRM, or the
    subsystem over SSH) a session is opened and closed, and what stands in its way is told step by step: port,
    certificate, ways of logging in, clock, login, session configuration, version. Nothing is changed anywhere.
    """
    findings = list(look_here())
    if target or inventory or playbook:
        password = asked_password() if ask_password else None
        wanted = Given(inventory=inventory, extra=extra, password=password, **given)  # type: ignore[arg-type]
        checked = _hosts(",".join(target), wanted, playbook)
        if checked is None:
            return ExitCode.REFUSED
        findings += checked
    _print(findings, as_json=output == "json")
    if any(not finding.ok and not finding.unreachable for finding in findings):
        return ExitCode.FAILED
    return ExitCode.UNREACHABLE if any(finding.unreachable for finding in findings) else ExitCode.SUCCESS


def _hosts(pattern: str, given: Given, playbook: str | None) -> list[Finding] | None:
    """Findings of every host; None where playbook or inventory were refused, which is told."""
    prepared = _prepared(pattern, given, playbook)
    if prepared.plan is None:
        complain(prepared.problems.sorted(), prepared.sources)
        return None
    logins = read_logins(prepared, prepared.plan)
    from runner.cli.doctor_hosts import look_at_hosts  # noqa: PLC0415 - transports are loaded when a plan stands

    return look_at_hosts(prepared.plan, logins, _tell_progress)


def _tell_progress(done: int, of: int) -> None:
    """A line that is written over, for who waits at a terminal; gone at the end."""
    if sys.stderr.isatty():
        words = f"\rlooked at {done} of {of}" if done < of else f"\r{' ' * 40}\r"
        click.echo(words, err=True, nl=False)


def _prepared(pattern: str, given: Given, playbook: str | None) -> Prepared:
    """The plan whose hosts are looked at: a playbook's own, or of one step on all that was named."""
    if playbook is not None:
        return prepare(playbook, replace(given, limit=pattern or None))
    hosts = json.dumps("all" if given.inventory else pattern.split(","))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.yml"
        path.write_text(_PLAYBOOK.format(hosts=hosts), encoding="utf-8")
        return prepare(str(path), replace(given, limit=pattern or "all" if given.inventory else None))


def _print(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        document = {"findings": [finding.as_document() for finding in findings]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(Painter(use_color(sys.stdout)).paint_all(report(findings, width)), nl=False)
    if summary := told_of_hosts(findings):
        click.echo(f"\n{summary}", err=True)
