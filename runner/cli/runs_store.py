"""Where the commands that look at runs find them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.cli.complain import use_color
from runner.cli.record import record_folder
from runner.journal.store import RunStore
from runner.present.paint import Line, Painter

Function = TypeVar("Function", bound=Callable[..., Any])


def record_option(function: Function) -> Function:
    """``--record``, as ``run`` has it."""
    return click.option(
        "--record",
        type=click.Path(file_okay=False, path_type=Path),
        envvar=["RUNNER_RECORD", "RUNNER_HOME"],
        metavar="DIR",
        help="Where runs are recorded [.runner/ of the repository here].",
    )(function)


def run_store(record: Path | None) -> RunStore:
    """The runs of this repository, or of ``--record``."""
    return RunStore((record or record_folder(Path("playbook"), os.environ)).absolute())


def width() -> int:
    """Cells of the terminal, 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def show(lines: Iterable[Line]) -> None:
    """Lines on standard output, with colours where a person sees them."""
    click.echo(Painter(use_color(sys.stdout)).paint_all(lines), nl=False)
