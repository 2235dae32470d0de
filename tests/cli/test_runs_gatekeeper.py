"""Who answers a gate: a person at the terminal, or `runs approve`, whichever comes first."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from runner.cli.gatekeeper import POLL, RunGatekeeper, user_name
from runner.execute.ports import Answer

NOW = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time that passes only while somebody sleeps."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def utc(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Left:
    """The answers that `runs approve` has left; one comes when it was looked for so often."""

    answer: Answer
    after: int = 0
    looks: int = 0

    def __call__(self, step: str) -> Answer | None:
        self.looks += 1
        return self.answer if step == "go" and self.looks > self.after else None


def nobody(_: str) -> Answer | None:
    return None


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The keyboard's end of a terminal, and the path of the other end."""
    keyboard, screen = pty.openpty()
    yield keyboard, os.ttyname(screen)
    os.close(keyboard)
    os.close(screen)


async def shown(keyboard: int, text: str) -> str:
    """What the terminal shows, once the text is in it."""
    os.set_blocking(keyboard, False)
    seen = b""
    async with asyncio.timeout(30):
        while text.encode() not in seen:
            try:
                seen += os.read(keyboard, 4096)
            except BlockingIOError:
                await asyncio.sleep(0)
    return seen.decode()


async def test_an_answer_that_is_there_counts_at_once() -> None:
    """A run that is gone on with takes the answer given while it was stopped; nothing is waited for."""
    clock = FakeClock()
    keeper = RunGatekeeper(Left(Answer(True, "ada")), clock, terminal=None)
    assert await keeper.ask("go", "ready?", None) == Answer(True, "ada")
    assert clock.slept == []


async def test_without_a_terminal_and_an_end_nobody_is_waited_for() -> None:
    """Nobody may ever come, so the gate is told that there is no answer."""
    clock = FakeClock()
    assert await RunGatekeeper(nobody, clock, terminal=None).ask("go", "ready?", None) is None
    assert clock.slept == []


async def test_an_answer_from_elsewhere_is_found_while_waiting() -> None:
    """`runs approve` is looked for twice a second until the gate's own end."""
    clock = FakeClock()
    keeper = RunGatekeeper(Left(Answer(False, "bob"), after=4), clock, terminal=None)
    answer = await keeper.ask("go", "ready?", NOW + timedelta(seconds=60))
    assert answer == Answer(False, "bob")
    assert clock.slept == [POLL] * 3


async def test_the_end_of_a_gate_without_an_answer() -> None:
    """At `until`, and not later, there is no answer."""
    clock = FakeClock()
    until = NOW + timedelta(seconds=1.7)
    assert await RunGatekeeper(nobody, clock, terminal=None).ask("go", "ready?", until) is None
    assert clock.now == until


@pytest.mark.parametrize(("typed", "go"), [("y\n", True), ("YES\n", True), ("n\n", False), ("no\n", False)])
async def test_a_person_answers(typed: str, go: bool, terminal: tuple[int, str]) -> None:
    """`y` and `n` are asked for on the terminal, and who sits there has answered."""
    keyboard, path = terminal
    keeper = RunGatekeeper(nobody, FakeClock(), terminal=path)
    asked = asyncio.create_task(keeper.ask("go", "web01 is drained\x1b[2J", None))
    seen = await shown(keyboard, "[y/n]")
    assert "gate `go`: web01 is drained" in seen
    assert "\x1b" not in seen
    os.write(keyboard, typed.encode())
    assert await asked == Answer(go, user_name())


async def test_anything_else_is_asked_again(terminal: tuple[int, str]) -> None:
    """Neither an empty line nor another word opens or closes a gate."""
    keyboard, path = terminal
    asked = asyncio.create_task(RunGatekeeper(nobody, FakeClock(), terminal=path).ask("go", "?", None))
    for typed in ("\n", "maybe\n", "n\n"):
        await shown(keyboard, "[y/n]")
        assert not asked.done()
        os.write(keyboard, typed.encode())
    assert await asked == Answer(False, user_name())


async def test_what_was_typed_before_is_no_answer(terminal: tuple[int, str]) -> None:
    """A line that waited in the terminal before the question came is thrown away."""
    keyboard, path = terminal
    os.write(keyboard, b"y\n")
    asked = asyncio.create_task(RunGatekeeper(nobody, FakeClock(), terminal=path).ask("go", "?", None))
    await shown(keyboard, "[y/n]")
    os.write(keyboard, b"n\n")
    assert await asked == Answer(False, user_name())


async def test_an_answer_from_elsewhere_takes_the_question_back(terminal: tuple[int, str]) -> None:
    """Where `runs approve` comes first, the terminal is not read any more."""
    keyboard, path = terminal
    left = Left(Answer(True, "ada"), after=1)
    assert await RunGatekeeper(left, FakeClock(), terminal=path).ask("go", "?", None) == Answer(True, "ada")
    assert len(asyncio.all_tasks()) == 1
    os.write(keyboard, b"n\n")  # nobody takes it
    screen = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    assert os.read(screen, 100) == b"n\n"
    os.close(screen)
