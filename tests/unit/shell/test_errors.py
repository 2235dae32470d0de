"""Error records out of standard error; the texts are those of real shells."""

from __future__ import annotations

import pytest

from runner.engine.result import ErrorRecord
from runner.shell.errors import script_errors
from runner.using.model import Shell

SCRIPT = ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize(
    ("stderr", "records"),
    [
        (["script: 3: eval: nosuch: not found"], [ErrorRecord("nosuch: not found", line=3)]),
        (["script: 3: nosuch: not found"], [ErrorRecord("nosuch: not found", line=3)]),
        (
            ['script: 5: eval: Syntax error: ";" unexpected'],
            [ErrorRecord('Syntax error: ";" unexpected', line=5)],
        ),
        (["script: line 3: nosuch: command not found"], [ErrorRecord("nosuch: command not found", line=3)]),
        (["script: eval: line 2: nosuch: not found"], [ErrorRecord("nosuch: not found", line=2)]),
        (
            [
                "script: eval: line 5: syntax error near unexpected token `;'",
                "script: eval: line 5: `if ; then'",
            ],
            [ErrorRecord("syntax error near unexpected token `;'", line=5)],
        ),
        (["noise", "script: 1: a: not found", "more", "script: 2: b: not found"], None),
        (["ls: cannot access '/x': No such file or directory", ""], None),
        (["other: 3: x: not found"], [ErrorRecord("other: 3: x: not found")]),
        (["script: 99: x: not found"], [ErrorRecord("x: not found")]),
        ([], []),
    ],
)
def test_shells(stderr: list[str], records: list[ErrorRecord] | None) -> None:
    """Lines that name the script are errors with the author's line; else the last line that says something is."""
    found = script_errors(Shell.BASH, stderr, SCRIPT)
    if records is None:
        said = [line.split(": ", 2)[-1] for line in stderr if line.startswith("script")] or [stderr[0]]
        assert [record.message for record in found] == said
    else:
        assert list(found) == records


def test_at_most_twenty() -> None:
    """A loop of errors is not told error by error."""
    assert len(script_errors(Shell.SH, ["script: 1: x: not found"] * 50, SCRIPT)) == 20


def test_python_traceback() -> None:
    """The exception, its type, the author's line and the whole stack."""
    stderr = [
        "warned",
        "Traceback (most recent call last):",
        '  File "<script>", line 5, in <module>',
        "    five",
        '  File "/usr/lib/python3/json.py", line 341, in loads',
        "    raise",
        "json.decoder.JSONDecodeError: bad: line 1",
        "and more",
    ]
    assert script_errors(Shell.PYTHON, stderr, SCRIPT) == (
        ErrorRecord(
            "bad: line 1\nand more",
            category="json.decoder.JSONDecodeError",
            exception=("json.decoder.JSONDecodeError",),
            line=5,
            stack="\n".join(stderr[1:]),
        ),
    )


def test_python_says_the_column_where_it_shows_it() -> None:
    """A caret becomes a column in the author's line, its indent counted."""
    script = ["if True:", "        b = = 2"]
    stderr = ['  File "<script>", line 2', "    b = = 2", "        ^", "SyntaxError: invalid syntax"]
    (record,) = script_errors(Shell.PYTHON, stderr, script)
    assert (record.message, record.line, record.column) == ("invalid syntax", 2, 13)
    script = ["x = 1", "    y = x / 0"]
    stderr = [
        "Traceback (most recent call last):",
        '  File "<script>", line 2, in <module>',
        "    y = x / 0",
        "        ~~^~~",
        "ZeroDivisionError: division by zero",
    ]
    (record,) = script_errors(Shell.PYTHON, stderr, script)
    assert (record.line, record.column) == (2, 9)


def test_python_without_a_message() -> None:
    """An exception without a message is told by its name."""
    stderr = [
        "Traceback (most recent call last):",
        '  File "<script>", line 1, in <module>',
        "KeyboardInterrupt",
    ]
    (record,) = script_errors(Shell.PYTHON, stderr, SCRIPT)
    assert (record.message, record.line) == ("KeyboardInterrupt", 1)


def test_python_without_a_traceback() -> None:
    """``sys.exit('text')`` says one line."""
    assert script_errors(Shell.PYTHON, ["no luck"], SCRIPT) == (ErrorRecord("no luck"),)
