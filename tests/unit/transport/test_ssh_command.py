"""What is sent to be executed, and how its pid comes back."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.transport.ssh_command import Preamble, group_command, group_left, quote, remote_command

_WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@given(st.lists(_WORDS, min_size=1))
def test_a_posix_shell_reads_the_words_back(words: list[str]) -> None:
    """Quoted words are what they were to a POSIX shell."""
    assert shlex.split(" ".join(map(quote, words))) == words


@given(_WORDS)
def test_fish_reads_the_word_back(word: str) -> None:
    """Fish takes a backslash inside single quotes for an escape, so none ever stands there."""
    inside = False
    position, text = 0, quote(word)
    while position < len(text):
        if text[position] == "'":
            inside = not inside
        elif text[position] == "\\":
            assert not inside
            position += 1
        position += 1
    assert not inside


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "command",
    [
        ["printf", "%s|", "a b", "it's", "$HOME", "\\", "", "-n"],
        ["sh", "-c", 'printf "%s|" "$0" "$@"', "a b", "it's", "$HOME"],
        ["sh", "-c", "# only a comment\nprintf here"],
    ],
)
def test_the_command_says_its_pid_and_then_runs(shell: str, command: list[str]) -> None:
    """Run by a login shell, the text gives the pid line and then the command's own output."""
    process = subprocess.Popen([shell, "-c", remote_command(command)], stdout=subprocess.PIPE)
    output, _ = process.communicate()
    preamble = Preamble()
    assert preamble.feed(output) == subprocess.run(command, capture_output=True, check=True).stdout
    assert preamble.pid == process.pid


def test_a_shell_command_costs_no_further_process_image() -> None:
    """A ``sh -c`` says its pid itself, instead of being started by another ``sh``."""
    assert remote_command(["sh", "-c", "true", "x"]) == "exec sh -c 'echo :runner-pid:$$:;true' x"


@given(st.binary(), st.binary(), st.lists(st.integers(0, 60)))
def test_the_pid_line_is_found_however_it_is_cut(welcome: bytes, output: bytes, cuts: list[int]) -> None:
    """In pieces of any size, what stands before the pid line goes and what follows stays."""
    whole = welcome.replace(b":", b"") + b":runner-pid:4711:\n" + output
    preamble, got, start = Preamble(), b"", 0
    for end in [*sorted(cuts), len(whole)]:
        got += preamble.feed(whole[start:end])
        start = max(start, end)
    assert got + preamble.end() == output
    assert preamble.pid == 4711


@given(st.lists(st.binary(max_size=50_000), max_size=4))
def test_output_without_a_pid_line_is_not_lost(pieces: list[bytes]) -> None:
    """Where the host runs another command (ForceCommand), its output comes through whole."""
    pieces = [piece.replace(b":", b"") for piece in pieces]
    preamble = Preamble()
    assert b"".join(map(preamble.feed, pieces)) + preamble.end() == b"".join(pieces)
    assert preamble.pid is None


def run_group(signal: str, group: int) -> bytes:
    return subprocess.run(["sh", "-c", group_command(signal, group)], capture_output=True, check=True).stdout


def test_looking_at_a_process_group() -> None:
    """A look says whether something of the group is left, and a signal ends it; zombies do not count."""
    process = subprocess.Popen(["sleep", "100"], start_new_session=True)
    assert group_left(run_group("look", process.pid)) is True
    run_group("KILL", process.pid)
    assert group_left(run_group("look", process.pid)) is False
    assert process.wait() == -9


def test_an_answer_that_is_none() -> None:
    """A host that says something else has not said whether anything is left."""
    assert group_left(b"This account is not available.\n") is None
