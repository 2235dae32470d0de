"""``runner lab``: a fleet on loopback to try and test with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from runner.cli.options import hand_on_settings, problem_output_option
from runner.errors import ExitCode
from runner.lab.certificates import Flaw
from runner.lab.control import DEFAULT_DIRECTORY, lab_down, lab_status, lab_up, render_lab
from runner.lab.trouble_calls import lab_certificate, lab_trouble, read_trouble
from runner.lab.troubles import Kind

EXAMPLES = """\b
Examples:
  runner lab up 20
  runner run playbooks/fleet-inventory.yml -i .runner/lab/inventory.yml
  runner lab up 5 --windows 4
  runner lab trouble win-01 delay on=Receive seconds=2
  runner lab certificate win-01 expired
  runner lab status
  runner lab down"""

_directory = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    envvar="RUNNER_LAB_DIR",
    help="Where the lab's inventory, keys and home directories are.",
)


@click.group(epilog=EXAMPLES)
@click.pass_context
def command(context: click.Context) -> None:
    """A fleet on loopback to try and test with.

    One background process serves real sh, bash and python over SSH for every host; each has its own name, port, login
    and home. Windows-like hosts speak WinRM instead. Needs no root and never listens beyond loopback.
    """
    hand_on_settings(context)


@command.command("up", epilog=EXAMPLES)
@click.argument("hosts", type=int, default=5)
@click.option(
    "--windows",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    envvar="RUNNER_LAB_WINDOWS",
    help="Windows-like hosts besides: WinRM in front of `pwsh`, or of recorded answers where there is none.",
)
@_directory
def up(hosts: int, windows: int, directory: Path) -> int:
    """Start a lab of HOSTS hosts (5); prints the path of its inventory.

    Linux hosts, but for databases, also have PowerShell as the SSH subsystem `powershell`. Before a run against
    Windows-like hosts source the lab's `environment.sh`: it names their certificate authority and their password.
    """
    state = lab_up(hosts, directory, windows=windows)
    sys.stderr.write(render_lab(state))
    sys.stderr.flush()
    click.echo(
        os.path.relpath(state.inventory) if state.inventory.is_relative_to(Path.cwd()) else state.inventory
    )
    return ExitCode.SUCCESS


@command.command("status", epilog=EXAMPLES)
@_directory
@problem_output_option
def status(directory: Path, output: str) -> int:
    """Say whether the lab is up; exit code 1 where it is not."""
    state = lab_status(directory)
    if output == "json":
        document = {
            "running": state.running,
            "pid": state.pid,
            "inventory": str(state.inventory) if state.running else None,
            "hosts": [{"name": served.host.name, "port": served.port} for served in state.hosts],
        }
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(render_lab(state), nl=False)
    return ExitCode.SUCCESS if state.running else ExitCode.FAILED


@command.command("trouble", epilog=EXAMPLES)
@click.argument("host")
@click.argument("kind", metavar="KIND", type=click.Choice([*(each.value for each in Kind), "none"]))
@click.argument("details", nargs=-1, metavar="[KEY=VALUE]...")
@_directory
def trouble(host: str, kind: str, details: tuple[str, ...], directory: Path) -> int:
    """Let something go wrong on HOST, a Windows-like host of a running lab; `none` takes it back.

    KIND is delay, drop, disconnect, cut, outage, truncated-fragment, foreign-fragment, fault, redirect, unauthorized,
    server-error or kill. KEYs: `on` an operation (Create, Receive ...; any request if not given), `skip` so many first,
    `times` it happens (1; 0 is always), `seconds` of a delay or an outage, `location` of a redirect, `code` of a fault.
    """
    lab_trouble(host, None if kind == "none" else read_trouble(kind, details), directory)
    return ExitCode.SUCCESS


@command.command("certificate", epilog=EXAMPLES)
@click.argument("host")
@click.argument("flaw", type=click.Choice([each.value for each in Flaw]))
@_directory
def certificate(host: str, flaw: str, directory: Path) -> int:
    """Give HOST, a Windows-like host that speaks https, a certificate with FLAW; `none` gives it a good one again.

    A revoked one is in the lab's `crl.pem`.
    """
    lab_certificate(host, Flaw(flaw), directory)
    return ExitCode.SUCCESS


@command.command("down", epilog=EXAMPLES)
@_directory
def down(directory: Path) -> int:
    """End the lab and everything that still runs on its hosts; home directories and keys stay."""
    before = lab_down(directory)
    sys.stderr.write("lab ended\n" if before.running else "no lab was up\n")
    return ExitCode.SUCCESS
