"""What a person is told and asked before and after a run is gone on with."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import click

from runner.errors import JournalError
from runner.journal.record import Choice
from runner.journal.replay import History, Key
from runner.plan.model import Plan
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.runs.digests import Changes
from runner.runs.going_on import GoingOn, Open, lost_sessions

MOST_NAMED: Final = 20
"""Things that have changed are named up to so many, then counted."""


def settled(left: Open, unknown: Choice | None) -> dict[Key, Choice]:
    """What becomes of what is unknown without asking anybody: the step's word first, then ``--unknown``."""
    decisions = dict.fromkeys(left.safe, Choice.RERUN) | dict.fromkeys(left.never, Choice.SKIP)
    return decisions if unknown is None else decisions | dict.fromkeys(left.ask, unknown)


def decide(left: Open, unknown: Choice | None, *, ask: bool) -> dict[Key, Choice]:
    """What becomes of what is unknown: the step's word first, then ``--unknown``, then a person, then fail."""
    decisions = settled(left, unknown)
    if unknown is not None or not left.ask:
        return decisions
    if not ask or not sys.stdin.isatty():
        return settled(left, Choice.FAIL)
    by_step: dict[str, list[str]] = {}
    for step, host in left.ask:
        by_step.setdefault(step, []).append(host)
    click.echo("these had begun when the run broke off, and nobody knows how they ended:", err=True)
    for step, hosts in by_step.items():
        choice = _ask(step, hosts)
        decisions |= dict.fromkeys(((step, host) for host in hosts), choice)
    return decisions


def _ask(step: str, hosts: Sequence[str]) -> Choice:
    words = {"r": Choice.RERUN, "s": Choice.SKIP, "f": Choice.FAIL}
    question = (
        f"  {step} on {harmless(fold(hosts))}\n"
        "    [r]un again, [s]kip (take for done), [f]ail (leave unknown), [a]bort"
    )
    typed = click.prompt(question, type=click.Choice([*words, "a"], case_sensitive=False), err=True)
    if typed.lower() == "a":
        raise JournalError("resume-aborted", "you ended it before anything was run")
    return words[typed.lower()]


def stand_words(
    plan: Plan, history: History, going: GoingOn, changed: Changes, asked: Collection[Key] = ()
) -> list[str]:
    """What is taken over and what is not, a line each; of what is still ``asked`` about nothing is said."""
    header = history.header
    done = len(going.restored) - len(going.failed) - len(going.taken_for_done)
    lines = [f"run {header.run}: {done} done, {going.left} to do"]
    lines += [f"changed since it began: {name}" for name in changed.named[:MOST_NAMED]]
    for words, keys in decided(going):
        lines += _by_step(words, (key for key in keys if key not in asked))
    for session, hosts in lost_sessions(plan, going).items():
        where = harmless(fold(hosts))
        lines.append(f"session {session} is opened anew on {where}: variables of earlier steps are gone")
    return lines


def decided(going: GoingOn) -> tuple[tuple[str, Sequence[Key]], ...]:
    """What is not simply done or still to do, with the words for it."""
    return (
        ("runs again, as it or its host changed", going.changed),
        ("runs again, as --rerun says", going.asked_again),
        ("runs again, as it belongs to what runs again", going.tidied),
        ("runs again, as its block was not mended by its rescue", going.undone),
        ("runs again, though it may have run", going.again),
        ("taken for done without a result", going.taken_for_done),
        ("left unknown", going.failed),
    )


def tell_taken_for_done(going: GoingOn) -> None:
    """Name at the end what was taken for done: a person must look at it."""
    lines = _by_step("taken for done without a result", going.taken_for_done)
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")


def _by_step(words: str, keys: Iterable[Key]) -> list[str]:
    by_step: dict[str, list[str]] = {}
    for step, host in keys:
        by_step.setdefault(step, []).append(host)
    return [f"{step} on {harmless(fold(hosts))}: {words}" for step, hosts in by_step.items()]
