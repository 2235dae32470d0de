"""What holds for the scan and the rewriting of any text, valid or not."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.using.model import Shell
from runner.using.rewrite import distinct, rewrite, variable_name
from runner.using.scan import scan

PIECES = [
    "$Using:a",
    "${Using:b c}",
    "@Using:s",
    "${Using:a.b[0]}",
    "${Using:l[@]}",
    "$using:",
    "${using:",
    "${using:}",
    "'",
    '"',
    "`",
    "\\",
    "\n",
    "\r\n",
    " ",
    "$(",
    ")",
    "((",
    "))",
    "${",
    "}",
    "{",
    "[",
    "]",
    "#",
    "<#",
    "#>",
    "@'\n",
    "\n'@",
    '@"\n',
    '\n"@',
    "<<E\n",
    "<<'E'\n",
    "\nE\n",
    "f'",
    'f"""',
    '"""',
    "case x in ",
    "esac",
    ";;",
    "|",
    ";",
    "&",
    "--%",
    "-a",
    ":",
    "::",
    ".Name",
    ".",
    ",",
    "=",
    "+",
    "!",
    "?",
    "\u2018",
    "\u201c",
    "\ud800",
    "\U0001f600",
    "\x00",
    "cmd",
    "if",
    "é",
    "%",
    "class C {",
    "param(",
    "function f",
    "[int]",
    "@{",
    "@(",
    "switch ",
    "foreach ",
    "in ",
    "enum E {",
    "1",
    "0x",
    ">",
    "2>&1",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join)


@pytest.mark.parametrize("shell", list(Shell))
@given(text=texts)
@example(text="$((" * 300 + "$Using:a")
@example(text="(" * 3000)
@example(text="{" * 3000)
@example(text="[" * 3000)
@example(text='"$(' * 500)
@example(text="f'{" * 500)
@example(text="`" * 501)
@example(text="-" * 3000 + "$Using:a")
@settings(deadline=None)
def test_any_text_is_scanned_and_every_place_is_right(shell: Shell, text: str) -> None:
    """No text raises; references and problems lie inside it; references are what stands there, in order."""
    found = scan(text, shell)
    last = -1
    for reference in found.references:
        assert 0 <= reference.start < reference.end <= len(text)
        assert reference.start > last
        assert text[reference.start : reference.end] == reference.text
        last = reference.start
    for problem in found.problems:
        assert 0 <= problem.start <= problem.end <= len(text)


@pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH, Shell.PYTHON])
@given(text=texts)
@settings(deadline=None)
def test_rewriting_changes_references_only(shell: Shell, text: str) -> None:
    """References do not overlap, lines stay, and between the variables stands the text between the references."""
    found = scan(text, shell)
    rewritten = rewrite(text, found, shell)
    assert rewritten.count("\n") == text.count("\n")
    assert len(rewritten.splitlines()) == len(text.splitlines())
    rest = rewritten
    at = 0
    for reference in found.references:
        assert reference.start >= at
        between = text[at : reference.start]
        begin = rest.index("__runner_using_")
        before = (
            rest[:begin].removesuffix("${")
            if reference.text.startswith("$") and shell is not Shell.PYTHON
            else rest[:begin]
        )
        assert before in {between, between + " ", " " + between}
        at = reference.end
        number = next(
            n for n, one in enumerate(distinct(found))
            if (one.name.lower(), one.chain) == (reference.name.lower(), reference.chain)
        )  # fmt: skip
        name = variable_name(number, shell)
        assert rest.startswith(name, begin)
        rest = rest[begin + len(name) :]
        if shell is not Shell.PYTHON and reference.text.startswith("$"):
            assert rest.startswith(reference.array + "}")
            rest = rest[len(reference.array) + 1 :]
    assert rest in {text[at:], " " + text[at:]}


@pytest.mark.parametrize("shell", list(Shell))
@given(text=texts.filter(lambda text: "using" not in text.lower()))
@settings(deadline=None)
def test_a_text_without_references_stays_as_it_is(shell: Shell, text: str) -> None:
    """Where nothing says `using`, nothing is found and nothing is changed."""
    found = scan(text, shell)
    assert found.references == ()
    assert rewrite(text, found, shell) == text
