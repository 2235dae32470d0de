"""``runner plan show``: what a plan file holds, for the one who approves it."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime

import click

from runner.cli.complain import use_color
from runner.cli.completing import complete_files
from runner.cli.options import option, problem_output_option
from runner.errors import ExitCode

EXAMPLES = """\b
Examples:
  runner plan show patch.plan
  runner plan show patch.plan -v            what each step says and sends, whole
  runner plan show patch.plan -o json | jq '.steps[].assignments[].host'"""


@click.command("show", epilog=EXAMPLES)
@click.argument("planfile", shell_complete=complete_files)
@option("-v", "--verbose", count=True, help="Also what the steps say and the texts of their scripts.")
@problem_output_option
def command(planfile: str, verbose: int, output: str) -> int:
    """Show the plan of PLANFILE: hosts, steps, waves, gates, locks, warnings, its age; connects to nothing.

    A file that is damaged, was edited or is no plan file is refused.
    """
    from runner.planfile.file import parse_plan_file, read_bytes  # noqa: PLC0415 - the help needs none of it
    from runner.planfile.view import plan_file_lines  # noqa: PLC0415
    from runner.present.paint import Painter  # noqa: PLC0415

    document = parse_plan_file(read_bytes(planfile), planfile)
    if output == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return ExitCode.SUCCESS
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
    lines = plan_file_lines(document, now=datetime.now(UTC), width=width, whole=bool(verbose))
    click.echo(Painter(use_color(sys.stdout)).paint_all(lines), nl=False)
    return ExitCode.SUCCESS
