"""``runner lab``: a fleet on loopback to try and test with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from runner.cli.options import hand_on_settings, problem_output_option
from runner.errors import ExitCode
from runner.lab.control import DEFAULT_DIRECTORY, lab_down, lab_status, lab_up, render_lab

EXAMPLES = """\b
Examples:
  runner lab up 20
  runner run playbooks/fleet-inventory.yml -i .runner/lab/inventory.yml
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
    and home. Needs no root and never listens beyond loopback.
    """
    hand_on_settings(context)


@command.command("up", epilog=EXAMPLES)
@click.argument("hosts", type=int, default=5)
@_directory
def up(hosts: int, directory: Path) -> int:
    """Start a lab of HOSTS hosts (5); prints the path of its inventory."""
    state = lab_up(hosts, directory)
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


@command.command("down", epilog=EXAMPLES)
@_directory
def down(directory: Path) -> int:
    """End the lab and everything that still runs on its hosts; home directories and keys stay."""
    before = lab_down(directory)
    sys.stderr.write("lab ended\n" if before.running else "no lab was up\n")
    return ExitCode.SUCCESS
