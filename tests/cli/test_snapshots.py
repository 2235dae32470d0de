"""What a person sees, whole: exit code, standard output and standard error, with times and run ids filtered."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command_line import Done, Typed, in_a_process

FILTERS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{4}"), "RUN"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:ms|s)\b"), "TIME"),
    (re.compile(r"\b(sha256|plan) [0-9a-f]{12}\b"), r"\1 DIGEST"),
]
BROKEN = """\
version: 1
vars: {build: 7}
targets:
  web: {hosts: web, port: 70000}
steps:
  - id: deploy
    target: wbe
    script: |
      echo $Using:biuld
    regsiter: x
"""
FAILING = """\
version: 1
name: Failing
steps:
  - id: breaks
    script: |
      echo before
      echo bad luck >&2
      exit 7
  - id: never
    script: echo never
  - id: always
    run_if: always
    script: echo still here
"""


def filtered(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, replacement in FILTERS:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + ("\n" if text else "")


def expect(done: Done, code: int, out: str, err: str) -> None:
    """Hold all three at once, so that a difference shows everything."""
    wanted = f"exit {code}\n--- standard output\n{dedent(out)}--- standard error\n{dedent(err)}"
    out, err = filtered(done.out), filtered(done.err)
    assert f"exit {done.code}\n--- standard output\n{out}--- standard error\n{err}" == wanted


def test_a_run(typed: Typed) -> None:
    """A run without a terminal: plain lines."""
    expect(
        typed("run", "hello.yml"), 0,
        """\
        greet localhost | hello world from north
        report localhost | ['hello world from north']
        """,
        """\
        run RUN: Hello (hello.yml), 1 host, 2 steps
        greet localhost ok in TIME
        report localhost ok in TIME

          ok  1 host  localhost
        - Hello: 1 host in TIME
          2 results: 2 ok
          run RUN
        """,
    )  # fmt: skip


def test_a_failing_run(typed: Typed, folder: Path) -> None:
    """A step that fails: what it said, its exit code, what was skipped for it, exit code 1."""
    (folder / "failing.yml").write_text(FAILING, encoding="utf-8")
    expect(
        typed("run", "failing.yml"), 1,
        """\
        breaks localhost | before
        always localhost | still here
        """,
        """\
        run RUN: Failing (failing.yml), 1 host, 3 steps
        breaks localhost failed in TIME: the script ended with exit code 7 [exit-code]
        never localhost skipped: `breaks` did not succeed
        always localhost ok in TIME

        x breaks failed (exit 7) on localhost
            error[exit-code]: the script ended with exit code 7
            it ran, and failed
            bad luck

          failed  1 host  localhost
        x Failing: 1 of 1 host with errors in TIME (exit 1)
          3 results: 1 ok, 1 skipped, 1 failed
          run RUN
        resume with: runner resume RUN
        """,
    )  # fmt: skip


def test_a_broken_playbook(typed: Typed, folder: Path) -> None:
    """Problems: code, sentence, place, line, caret, hint."""
    (folder / "broken.yml").write_text(BROKEN, encoding="utf-8")
    expect(
        typed("validate", "broken.yml"), 2, "",
        """\
        error[wrong-value]: `port` of target `web` must be at most 65535: `70000`
          --> broken.yml:4:27
            4 |   web: {hosts: web, port: 70000}
              |                           ^^^^^

        error[unknown-target]: no target is named `wbe`
          --> broken.yml:7:13
            7 |     target: wbe
              |             ^^^

        hint: did you mean `web`?

        error[unknown-using]: step `deploy` uses `$Using:biuld`, which is not defined
          --> broken.yml:9:12
            9 |       echo $Using:biuld
              |            ^^^^^^^^^^^^

        hint: did you mean `build`?

        error[unknown-key]: step `deploy` has no key `regsiter`
          --> broken.yml:10:5
           10 |     regsiter: x
              |     ^^^^^^^^

        hint: did you mean `register`?

        4 errors

        refused: 1 file checked, nothing was connected to
        """,
    )  # fmt: skip


def test_a_plan(typed: Typed) -> None:
    """A plan says what goes where, in which order, with the digest of each script."""
    expect(
        typed("plan", "hello.yml"), 0,
        """\
        Hello  hello.yml
        2 steps, 1 host, 2 assignments, plan DIGEST

          1  greet  script sh
             on     localhost
             sends  hello.yml:8:13  sha256 DIGEST

          2  report  script python
             on     localhost
             after  greet
             sends  hello.yml:13:13  sha256 DIGEST
        """, "",
    )  # fmt: skip


def test_an_inventory(typed: Typed) -> None:
    """Hosts with addresses and groups; groups as a tree; a host with the place of each value."""
    expect(
        typed("inventory", "list", "-i", "hosts.yml"), 0,
        """\
        bastion  10.0.0.1  ungrouped
        web01              web
        web02              web
        web03              web
        """, "",
    )  # fmt: skip
    expect(
        typed("inventory", "graph", "-i", "hosts.yml"), 0,
        """\
        @all:
          |--@ungrouped:
          |  |--bastion
          |--@web:
          |  |--web01
          |  |--web02
          |  |--web03
          |--@empty:
        """, "",
    )  # fmt: skip
    expect(
        typed("inventory", "host", "web01", "-i", "hosts.yml"), 0,
        """\
        host web01
        groups web
        variables
          site: south  (the whole inventory, hosts.yml:2:14)
          tier: front  (group `web`, hosts.yml:8:18)
        connection
          transport: local  (group `web`, hosts.yml:9:29)
        """, "",
    )  # fmt: skip


def test_explaining_a_variable(typed: Typed) -> None:
    """Every definition of a variable with its place, the one that counts first."""
    expect(
        typed("explain", "site", "--host", "web01", "--playbook", "hello.yml", "-i", "hosts.yml"), 0,
        """\
        site on web01
          = "north"
              from playbook vars  hello.yml:5:14
          - "south"
              from the whole inventory  hosts.yml:2:14  (hidden)
        """, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [["run", "hello.yml"], ["run", "hello.yml", "-v"], ["validate", "broken.yml"], ["plan", "hello.yml"]],
    ids=" ".join,
)
def test_no_control_characters_without_a_terminal(words: list[str], folder: Path) -> None:
    """Into a pipe go plain lines: no escapes, no carriage returns, whatever TERM says."""
    (folder / "broken.yml").write_text(BROKEN, encoding="utf-8")
    done = in_a_process(
        *words, folder=folder, environment={"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.out + done.err)


def test_lines_of_a_narrow_pipe(folder: Path) -> None:
    """COLUMNS of a pipe changes nothing that a program could read."""
    wide = in_a_process("plan", "hello.yml", folder=folder)
    narrow = in_a_process("plan", "hello.yml", folder=folder, environment={"COLUMNS": "20"})
    assert narrow.out == wide.out
