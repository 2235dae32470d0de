"""Differences as a person reads them: what `diff -u` would say, masked, harmless, and bounded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.engine.result import Difference
from runner.present.cells import cell_width
from runner.present.difference import difference_lines
from runner.present.paint import Role, text_of

TEXTS = st.lists(st.sampled_from(["one", "two", "", "three three"]), max_size=12).map("\n".join)


def plain(text: str) -> str:
    return text


def shown(difference: Difference, **more: int) -> list[str]:
    return [text_of(line) for line in difference_lines(difference, plain, **more)]


def test_a_text_is_told_by_its_lines() -> None:
    """What goes is marked with a minus and what comes with a plus, in their context, with a place and a name."""
    before, after = "a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\n"
    assert shown(Difference(before, after, "/etc/app.conf")) == [
        "--- /etc/app.conf (before)",
        "+++ /etc/app.conf (after)",
        "@@ -1,6 +1,6 @@",
        " a",
        " b",
        " c",
        "-d",
        "+D",
        " e",
        " f",
    ]


def test_lines_have_roles() -> None:
    """A painter makes what goes red and what comes green."""
    roles = {text_of(line): line[0].role for line in difference_lines(Difference("a\n", "b\n"), plain)}
    assert (roles["-a"], roles["+b"], roles["--- (before)"]) == (Role.RED, Role.GOOD, Role.STRONG)


def test_a_file_that_is_not_there_is_no_empty_file() -> None:
    """A state that does not exist is called so; what comes into being empty is a difference too."""
    assert shown(Difference(None, "x\n"))[:2] == ["--- (before: not there)", "+++ (after)"]
    assert shown(Difference(None, "")) == ["--- (before: not there)", "+++ (after)"]
    assert shown(Difference("", "")) == []


def test_values_are_told_as_yaml() -> None:
    """Mappings, lists and scalars of a test are compared line by line in their YAML form, keys in their order."""
    before, after = {"state": "stopped", "ports": [80]}, {"state": "running", "ports": [80, 443]}
    assert shown(Difference(before, after))[3:] == [
        "-state: stopped",
        "+state: running",
        " ports:",
        " - 80",
        "+- 443",
    ]
    assert shown(Difference(1, True))[3:] == ["-1", "+true"]


def test_what_ends_without_a_line_feed_is_told() -> None:
    """A last line without an end differs from one with it."""
    assert shown(Difference("a", "a\n"))[3:] == ["-a", "\\ No newline at end of file", "+a"]


def test_secrets_and_controls_are_not_shown() -> None:
    """The mask sees every text, paths too, and escape sequences of a host's file become visible characters."""
    difference = Difference("key: hunter2\n", "\x1b[2Jgone\n", "/home/hunter2")
    told = [
        text_of(line) for line in difference_lines(difference, lambda text: text.replace("hunter2", "***"))
    ]
    assert told == [
        "--- /home/*** (before)",
        "+++ /home/*** (after)",
        "@@ -1 +1 @@",
        "-key: ***",
        "+^[[2Jgone",
    ]


def test_it_is_no_wider_and_no_longer_than_asked() -> None:
    """Wide lines are cut with a mark and what is past the most lines is counted."""
    before, after = "".join(f"{n} {'x' * 99}\n" for n in range(50)), ""
    lines = shown(Difference(before, after), width=20, most=10)
    assert all(cell_width(text) <= 20 for text in lines)
    assert lines[-1] == "... 41 more lines"
    assert len(lines) == 13


def test_what_takes_too_long_to_compare_is_only_counted() -> None:
    """Texts of many lines that have nothing in common are told by their number of lines."""
    before, after = "".join(f"a{n}\n" for n in range(9000)), "".join(f"b{n}\n" for n in range(9000))
    assert shown(Difference(before, after))[2] == (
        "@@ too much differs to be shown: 9000 lines before, 9000 after @@"
    )


def test_a_long_text_with_one_change_is_shown() -> None:
    """What both begin and end with is not compared, however long it is."""
    lines = [f"{n}\n" for n in range(20000)]
    told = shown(Difference("".join(lines), "".join([*lines[:15000], "new\n", *lines[15000:]])))
    assert told[2:] == [
        "@@ -14998,6 +14998,7 @@", " 14997", " 14998", " 14999", "+new", " 15000", " 15001", " 15002"
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("patch") is None, reason="`patch` is not installed")
@settings(max_examples=60)
@given(before=TEXTS, after=TEXTS)
def test_patch_takes_it(tmp_path_factory: pytest.TempPathFactory, before: str, after: str) -> None:
    """Every difference of two texts is a patch that makes the one into the other."""
    lines = shown(Difference(before, after), most=10**6)
    folder: Path = tmp_path_factory.mktemp("patch")
    target = folder / "file"
    target.write_text(before)
    if lines:
        patch = "".join(f"{text}\n" for text in ["--- file", "+++ file", *lines[2:]])
        subprocess.run(
            ["patch", "--quiet", "--no-backup-if-mismatch", str(target)], input=patch, text=True, check=True
        )
    assert (target.read_text() if target.exists() else "") == after
