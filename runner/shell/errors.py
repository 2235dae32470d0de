"""Errors as records, read out of what a failed script wrote to standard error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from runner.engine.result import ErrorRecord
from runner.using.model import Shell

#: A script that fails in a loop is not told line by line.
_MOST = 20

#: dash ``script: 3: eval: x: not found``, bash ``script: line 3: x: command not found``, in both ``eval: line 5:`` for
#: syntax errors, busybox ``script: eval: line 2: x: not found``. ``eval`` is ours, not the author's.
_SHELL_LINE = re.compile(r"(?P<name>[^:]+): (?:eval: )?(?:line )?(?P<line>\d+): (?:eval: )?(?P<message>.*)")
_FRAME = re.compile(r'  File "<script>", line (\d+)')
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_TRACEBACK = "Traceback (most recent call last):"
_SOURCE_INDENT = 4


def script_errors(
    shell: Shell, stderr: Sequence[str], script: Sequence[str], *, name: str = "script"
) -> tuple[ErrorRecord, ...]:
    """The errors of a failed script, in the order written; lines are the author's.

    ``stderr`` and ``script`` are lines without their ends; ``name`` is the request's ``script_name``. Where standard
    error says no line, its last line that is not blank is the error; where it is empty, there is none.
    """
    python = shell is Shell.PYTHON
    records = _of_python(stderr, script) if python else _of_shell(stderr, len(script), name)
    if records:
        return tuple(records[:_MOST])
    last = next((line for line in reversed(stderr) if line.strip()), None)
    return () if last is None else (ErrorRecord(last.strip()),)


def _of_shell(stderr: Sequence[str], length: int, name: str) -> list[ErrorRecord]:
    records: list[ErrorRecord] = []
    for text in stderr:
        match = _SHELL_LINE.fullmatch(text)
        if match is None or match["name"] != name:
            continue
        line, message = int(match["line"]), match["message"]
        # bash shows the line of a syntax error after the error itself, in `...'.
        if records and message.startswith("`") and message.endswith("'"):
            continue
        records.append(ErrorRecord(message, line=line if 1 <= line <= length + 1 else None))
    return records


def _of_python(stderr: Sequence[str], script: Sequence[str]) -> list[ErrorRecord]:
    """The last exception: the one before it in a chain is in the stack."""
    starts = [number for number, line in enumerate(stderr) if line == _TRACEBACK or _FRAME.match(line)]
    if not starts:
        return []
    block = stderr[starts[0] :]
    frames = [number for number, line in enumerate(block) if _FRAME.match(line)]
    ends = [n for n, line in enumerate(block) if line and line[0] not in " \t" and _EXCEPTION.match(line)]
    last_frame = frames[-1] if frames else 0
    end = next((number for number in ends if number > last_frame), None)
    match = _EXCEPTION.match(block[end]) if end is not None else None
    if match is None or end is None:
        return []
    message = "\n".join([match["message"] or "", *block[end + 1 :]]).strip()
    line = int(_FRAME.findall(block[last_frame])[0]) if frames else None
    return [
        ErrorRecord(
            message or match["name"],
            category=match["name"],
            exception=(match["name"],),
            line=line,
            column=_column(block[last_frame:end], line, script),
            stack="\n".join(block),
        )
    ]


def _column(shown: Sequence[str], line: int | None, script: Sequence[str]) -> int | None:
    """The column of a caret; Python shows the line without its indent, four blanks in."""
    if line is None or not 1 <= line <= len(script):
        return None
    source = script[line - 1]
    for above, marks in pairwise(shown):
        if above.strip() == source.strip() and set(marks.strip()) <= {"^", "~"} and "^" in marks:
            indent = len(source) - len(source.lstrip())
            mark = min(marks.index(mark) for mark in "^~" if mark in marks)
            return mark - _SOURCE_INDENT + indent + 1
    return None
