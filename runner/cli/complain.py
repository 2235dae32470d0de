"""Telling what is wrong: problems to standard error (or as a document), a bug of ours to a report file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runner import __version__
from runner.errors import ExitCode
from runner.present.problems import problems_document, render_problems
from runner.problems import Problem


def complain(
    problems: Iterable[Problem], sources: Mapping[str, str] | None = None, *, as_json: bool = False
) -> None:
    """Show problems: for people on standard error, or as the JSON document of cli.md on standard output."""
    found = list(problems)
    if as_json:
        print(json.dumps(problems_document(found), indent=2, ensure_ascii=False))  # noqa: T201 - the result itself
        return
    texts = dict(sources or {})
    for problem in found:
        path = problem.span.path if problem.span else None
        if path is not None and path not in texts and (text := _read(path)) is not None:
            texts[path] = text
    width = shutil.get_terminal_size((80, 24)).columns if sys.stderr.isatty() else 80
    text = render_problems(found, texts, colour=use_color(sys.stderr), width=width)
    sys.stderr.write(text)


def refuse(
    problems: Iterable[Problem], sources: Mapping[str, str] | None = None, *, as_json: bool = False
) -> ExitCode:
    """Show why nothing is run; gives exit code 2. That nothing was run is said once."""
    found = list(problems)
    complain(found, sources, as_json=as_json)
    if not as_json and not any(problem.message.endswith("nothing was run") for problem in found):
        sys.stderr.write("\nnothing was run\n")
    return ExitCode.REFUSED


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command that could not even be read was asked for JSON, on the command line or in the environment."""
    asked = os.environ.get("RUNNER_OUTPUT", "").split()
    for at, word in enumerate(arguments):
        if word in {"-o", "--output"}:
            asked = [*arguments[at + 1 : at + 2]]
        elif word.startswith("--output="):
            asked = [word.removeprefix("--output=")]
        elif word.startswith("-o") and not word.startswith("--"):
            asked = [word.removeprefix("-o")]
    return bool({"json", "jsonl"} & set(asked))


def use_color(stream: object) -> bool:
    """Whether colour is wanted on a stream: a terminal, and neither NO_COLOR nor ``TERM=dumb``."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def report_bug(error: BaseException) -> int:
    """Write a report of a bug of ours and say where it is; gives exit code 70.

    The report holds the traceback without the values of variables, so no secret can be in it.
    """
    lines = traceback.format_exception(error)
    with tempfile.NamedTemporaryFile(
        "w", prefix="runner-report-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        report.write(f"runner {__version__}, Python {sys.version}\n{sys.platform}\n\n")
        report.writelines(lines)
    sys.stderr.write(
        f"error[internal]: this is a bug of runner: {type(error).__name__}\n\n"
        f"hint: a report is in {report.name}; please send it along\n"
    )
    return ExitCode.BUG
