"""What is written to interpreters, without one."""

from __future__ import annotations

import ast
import shlex
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.codes.shell import CODES
from runner.errors import ExecutionFailed
from runner.shell import kept_text, python_text
from runner.shell.fresh import fresh_command, fresh_payload, new_nonce
from runner.shell.marker import Marker
from runner.shell.posix_text import BLOCK, framed
from runner.shell.refuse import kind
from runner.shell.request import ShellRequest
from runner.using.model import Shell
from runner.values import Secret

SHELLS = [Shell.SH, Shell.BASH, Shell.PYTHON]


@pytest.mark.parametrize("shell", SHELLS)
def test_argv_is_constant_and_harmless(shell: Shell) -> None:
    """argv does not depend on the request and holds nothing that fish, csh or zsh takes for its own in quotes."""
    full = ShellRequest(
        shell=shell,
        script="secret",
        values={"v": "x"},
        args=["y"],
        environment={"E": "z"},
        working_directory="/w",
    )
    command = fresh_command(full)
    assert command == fresh_command(ShellRequest(shell=shell, script=""))
    for word in (*command, kept_text.LOOP):
        assert not set("'\\!\n") & set(word)
    assert shlex.split(shlex.join(command)) == list(command)


@pytest.mark.parametrize("name", ["on_host", "on_host_kept"])
def test_what_runs_on_hosts_is_python_3_6(name: str) -> None:
    """The programs sent to hosts use no syntax younger than 3.6, as written and as sent."""
    text = files("runner.shell").joinpath(f"{name}.py").read_text("utf-8")
    assert ast.parse(text, feature_version=(3, 6)).body
    assert ast.parse(ast.unparse(ast.parse(text)), feature_version=(3, 6)).body


@given(st.binary(max_size=3 * BLOCK).map(lambda line: line.replace(b"\n", b"")))
def test_a_long_line_comes_in_whole_blocks(line: bytes) -> None:
    """A short line is one line; a long one is a header and as many whole blocks as it names."""
    data = framed(line)
    if len(line) < BLOCK:
        assert data == line + b"\n"
        return
    header, _, blocks = data.partition(b"\n")
    assert len(blocks) % BLOCK == 0
    assert b"count=%d " % (len(blocks) // BLOCK) in header
    assert blocks.rstrip(b"\n") == line


@pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
def test_a_payload_is_one_line(shell: Shell, text: str) -> None:
    """Whatever is in script and values, ``read`` gets all of it."""
    request = ShellRequest(shell=shell, script=text, values={"v": text}, args=[text], environment={"E": text})
    data = fresh_payload(request, new_nonce())
    assert data.count(b"\n") == 1 or len(data) > BLOCK
    assert data.endswith(b"\n") or len(data) > BLOCK


@given(
    before=st.binary(max_size=30).map(lambda data: data.replace(b"@word", b"")),
    cuts=st.lists(st.integers(1, 7), max_size=20),
    tail=st.binary(min_size=3, max_size=3),
)
def test_a_word_is_found_however_it_is_cut(before: bytes, cuts: list[int], tail: bytes) -> None:
    """Everything before the word passes, nothing of it or after it does, wherever the pieces are cut."""
    marker = Marker(b"@word", tail_size=3)
    data = before + b"@word" + tail + b"after"
    expected = data[: data.index(b"@word")]
    passed = b""
    for cut in [*cuts, len(data)]:
        if data:
            passed += marker.feed(data[:cut])
            data = data[cut:]
    assert (passed, marker.found, marker.rest()) == (expected, True, b"")
    assert len(marker.tail) == 3


@given(st.lists(st.sampled_from([b"@", b"@w", b"@wor", b"or", b"x", b"d@"]), max_size=8))
def test_what_is_no_word_passes(pieces: list[bytes]) -> None:
    """Beginnings of the word are held back no longer than to the end of the stream."""
    data = b"".join(pieces).replace(b"@word", b"")
    marker = Marker(b"@word")
    passed = b"".join(marker.feed(data[at : at + 1]) for at in range(len(data)))
    assert passed + marker.rest() == data
    assert not marker.found


def test_a_secret_is_sent_and_not_shown() -> None:
    """A Secret is delivered as its text; an error about it never shows it."""
    payload = fresh_payload(ShellRequest(shell=Shell.SH, script=":", values={"v": Secret("hush")}), b"@n")
    assert b"v='hush'" in payload
    with pytest.raises(ExecutionFailed) as caught:
        fresh_payload(ShellRequest(shell=Shell.SH, script=":", values={"v": Secret("hu\0sh")}), b"@n")
    assert "sh'" not in caught.value.message
    assert "hu" not in caught.value.message


def test_python_refuses_what_it_cannot_be_sent() -> None:
    """A value that marshal or the language does not know is refused before anything is sent."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for value in (object(), {(1, 2): 3}, deep, {"a": {1, 2}}):
        with pytest.raises(ExecutionFailed) as caught:
            python_text.frame(ShellRequest(shell=Shell.PYTHON, script="", values={"v": value}), b"@n", None)
        assert (caught.value.code, caught.value.phase) == ("value-type", "send")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("trap 'x' EXIT", True),
        ("f() { trap - INT; }", True),
        (". ./lib.sh", True),
        ("a; . /lib", True),
        ("source x", True),
        ("echo hi", False),
        ("./run.sh entrapped", False),
        ("ls ..", False),
    ],
)
def test_where_a_trap_may_be_set(script: str, expected: bool) -> None:
    """Only scripts that can set a trap cost the question."""
    assert kept_text.may_trap(script) is expected


def test_kinds_are_named_in_words() -> None:
    """Errors name kinds as an author does."""
    values: list[object] = [None, True, 1, 1.5, "x", b"x", [1], (1,), {}, {1}]
    words = "null;a boolean;an integer;a number;a text;bytes;a list;a list;a mapping;a set"
    assert ";".join(kind(value) for value in values) == words


def test_every_page_says_something() -> None:
    """Each code has a summary without a full stop and an explanation."""
    for code, page in CODES.items():
        assert page.summary, code
        assert not page.summary.endswith("."), code
        assert page.explanation, code
