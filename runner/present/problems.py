"""Problems for people (message guide: what, where with the line and a caret, what to do) and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runner.present.cells import cell_width
from runner.present.harmless import harmless
from runner.present.paint import Line, Painter, Piece, Role, line
from runner.problems import Problem, Problems, Severity
from runner.values import Span

MOST_SHOWN = 20
_GUTTER = 5  # cells for the line number; a longer one pushes the bar to the right
_TAB_STOP = 4
_HOLDS_A_SECRET = re.compile(r"""(?ix) pass (?:wd|word|phrase)? ["']? \s* [:=] \s* (?! [\[{] | \s | $ )""")
"""A line that gives a password, whatever else is wrong on it, as in ``ansible_password=...`` or ``password: ...``."""
_ROLES = {Severity.ERROR: Role.BAD, Severity.WARNING: Role.WARNING}


def problem_lines(problems: Iterable[Problem], sources: Mapping[str, str], *, width: int = 80) -> list[Line]:
    """Problems as lines: sorted by position, at most :data:`MOST_SHOWN` (errors before warnings), then a count.

    Args:
        problems: of all files; each is told once.
        sources: shown path -> text of the file, for the line under each place; a missing one shows none.
        width: cells of the terminal; a longer source line is cut around the caret.

    """
    everything = Problems(problems).sorted()
    errors = [problem for problem in everything if problem.severity is Severity.ERROR]
    warnings = [problem for problem in everything if problem.severity is Severity.WARNING]
    chosen = Problems([*errors, *warnings][:MOST_SHOWN]).sorted()
    lines: list[Line] = []
    private = {_line_of(problem) for problem in everything if problem.private}
    for problem in chosen:
        shown = {} if _line_of(problem) in private else sources
        lines += [*_one_problem(problem, shown, width), ()]
    hidden = len(everything) - len(chosen)
    if len(everything) > 1:
        more = f"; the first {len(chosen)} are shown, `-o json` gives all" if hidden else ""
        counts = [
            _count(len(found), noun) for found, noun in ((errors, "error"), (warnings, "warning")) if found
        ]
        lines.append(line(f"{', '.join(counts)}{more}"))
    else:
        del lines[-1:]
    return lines


def render_problems(
    problems: Iterable[Problem], sources: Mapping[str, str], *, colour: bool = False, width: int = 80
) -> str:
    """Problems as text that ends with a line feed; empty where there are none (see :func:`problem_lines`)."""
    return Painter(colour).paint_all(problem_lines(problems, sources, width=width))


def problems_document(problems: Iterable[Problem]) -> dict[str, Any]:
    """All problems as ``-o json`` prints them (cli.md, schemas/problems.schema.json)."""
    return {"problems": [_plain_problem(problem) for problem in Problems(problems).sorted()]}


def _plain_problem(problem: Problem) -> dict[str, Any]:
    span = problem.span
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        "path": span.path if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "hints": list(problem.hints),
    }


def _one_problem(problem: Problem, sources: Mapping[str, str], width: int) -> Iterator[Line]:
    role = _ROLES[problem.severity]
    yield line(
        Piece(f"{problem.severity.value}[{problem.code}]", role),
        Piece(f": {harmless(problem.message)}", Role.STRONG),
    )
    if problem.span is not None:
        yield line(Piece("  --> ", Role.FAINT), str(problem.span))
        yield from _snippet(problem.span, sources, width, role)
    for span, words in problem.related:
        yield line(Piece("  --> ", Role.FAINT), f"{span}  {harmless(words)}")
    if problem.hints:
        yield ()
    for hint in problem.hints:
        yield line(Piece("hint:", Role.NOTE), f" {harmless(hint)}")


def _line_of(problem: Problem) -> tuple[str, int] | None:
    """The line that a problem is about: where one of its problems is private, none shows it."""
    return (problem.span.path, problem.span.line) if problem.span is not None else None


def _snippet(span: Span, sources: Mapping[str, str], width: int, role: Role) -> Iterator[Line]:
    text = sources.get(span.path)
    lines = text.split("\n") if text is not None else []
    if not 1 <= span.line <= len(lines):
        return
    source = lines[span.line - 1].rstrip("\r")
    if _HOLDS_A_SECRET.search(source):
        return
    end = span.end_column if span.end_line == span.line else len(source) + 1
    gutter = max(_GUTTER, len(str(span.line)) + 1)
    shown, indent, carets = _around(source, span.column - 1, end - 1, max(width - gutter - 3, 20))
    yield line(Piece(f"{span.line:>{gutter}} | ", Role.FAINT), shown)
    yield line(Piece(" " * gutter + " | ", Role.FAINT), " " * indent, Piece("^" * carets, role))


def _around(source: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The source line cut to ``room`` cells around characters ``start`` to ``end``: text, indent, width of the carets.

    The first eighth of the room is left before the place, so that what leads up to it can be read.
    """
    expanded = _expand(source)
    start = min(max(start, 0), len(expanded))
    widths = [cell_width(piece) for piece in expanded]
    begin, stop = 0, len(expanded)
    if sum(widths) > room:
        begin = _cut_before(widths, start, min(end, len(expanded)), room)
        if begin:
            room -= 1
        stop, used = begin, 0
        while stop < len(expanded) and used + widths[stop] <= room:
            used += widths[stop]
            stop += 1
        if stop < len(expanded):
            stop -= 1
    shown = ("…" if begin else "") + "".join(expanded[begin:stop]) + ("…" if stop < len(expanded) else "")
    indent = (1 if begin else 0) + sum(widths[begin:start])
    carets = sum(widths[start : min(end, stop)])
    return shown.rstrip(), indent, max(carets, 1)


def _cut_before(widths: list[int], start: int, end: int, room: int) -> int:
    """The first character to show: 0 where the place fits without a cut, else some way before it."""
    if sum(widths[:end]) <= room - 1:
        return 0
    lead, begin = max(room // 8, room - 2 - sum(widths[start:end])), start
    while begin and sum(widths[begin - 1 : start]) <= lead:
        begin -= 1
    return begin


def _expand(source: str) -> list[str]:
    """Each character as it is shown: tabs as blanks up to the next stop, controls made visible."""
    pieces: list[str] = []
    column = 0
    for character in source:
        piece = " " * (_TAB_STOP - column % _TAB_STOP) if character == "\t" else harmless(character)
        pieces.append(piece)
        column += cell_width(piece)
    return pieces


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
