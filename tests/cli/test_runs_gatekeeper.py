"""Who answers a gate: a person at the terminal, or `runs approve`, whichever comes first."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli.gatekeeper import POLL, RunGatekeeper, user_name
from runner.execute.ports import Answer
from runner.journal.control import Control
from runner.journal.record import Answered

NOW = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time that passes only while somebody sleeps."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)
    each: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def utc(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.each()
        await asyncio.sleep(0)


@dataclass
class Keeper:
    """A gatekeeper over a folder, with what it tells the journal."""

    folder: Path
    terminal: str | None = None
    before: dict[str, Answered] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Answered] = field(default_factory=list)
    prompts: bool = True

    @property
    def control(self) -> Control:
        return Control(self.folder)

    def ask(
        self, until: datetime | None = None, message: str = "ready?"
    ) -> Coroutine[None, None, Answer | None]:
        keeper = RunGatekeeper(
            self.control,
            self.clock,
            terminal=self.terminal,
            before=self.before,
            answered=self.told.append,
            prompts=self.prompts,
        )
        return keeper.ask("go", message, until)


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


async def test_an_answer_given_while_nobody_ran_counts_at_once(tmp_path: Path) -> None:
    """A run that is gone on with takes the answer given while it was stopped; nothing is waited for."""
    given = Answered("go", True, "ada", NOW)
    keeper = Keeper(tmp_path, before={"go": given})
    assert await keeper.ask() == Answer(True, "ada")
    assert keeper.clock.slept == []
    assert keeper.told == [given]


async def test_without_a_terminal_and_an_end_nobody_is_waited_for(tmp_path: Path) -> None:
    """Nobody may ever come, so the gate is told that there is no answer."""
    keeper = Keeper(tmp_path)
    assert await keeper.ask() is None
    assert keeper.clock.slept == []
    assert keeper.told == []


async def test_an_answer_from_elsewhere_is_found_while_waiting(tmp_path: Path) -> None:
    """The gate is seen by other processes while it waits, and looks for their answer twice a second."""
    keeper = Keeper(tmp_path)
    until = NOW + timedelta(seconds=60)

    def answer() -> None:
        (waiting,) = keeper.control.waiting()
        assert (waiting.step, waiting.message, waiting.until) == ("go", "ready?", until)
        if len(keeper.clock.slept) == 3:
            keeper.control.answer("go", go=False, who="bob", at=NOW)

    keeper.clock.each = answer
    assert await keeper.ask(until) == Answer(False, "bob")
    assert keeper.clock.slept == [POLL] * 3
    assert keeper.told == [Answered("go", False, "bob", NOW)]
    assert keeper.control.waiting() == ()


async def test_the_end_of_a_gate_without_an_answer(tmp_path: Path) -> None:
    """At `until`, and not later, there is no answer, and the gate is not seen to wait any more."""
    keeper = Keeper(tmp_path)
    until = NOW + timedelta(seconds=1.7)
    assert await keeper.ask(until) is None
    assert keeper.clock.now == until
    assert keeper.control.waiting() == ()


@pytest.mark.parametrize(("typed", "go"), [("y\n", True), ("YES\n", True), ("n\n", False), ("no\n", False)])
async def test_a_person_answers(typed: str, go: bool, tmp_path: Path, terminal: tuple[int, str]) -> None:
    """`y` and `n` are asked for on the terminal, and who sits there has answered."""
    keyboard, path = terminal
    keeper = Keeper(tmp_path, path)
    asked = asyncio.create_task(keeper.ask(message="web01 is drained\x1b[2J"))
    seen = await shown(keyboard, "[y/n]")
    assert "gate `go`: web01 is drained" in seen
    assert "\x1b" not in seen
    os.write(keyboard, typed.encode())
    assert await asked == Answer(go, user_name())
    assert keeper.told == [Answered("go", go, user_name(), NOW)]


async def test_anything_else_is_asked_again(tmp_path: Path, terminal: tuple[int, str]) -> None:
    """Neither an empty line nor another word opens or closes a gate."""
    keyboard, path = terminal
    asked = asyncio.create_task(Keeper(tmp_path, path).ask())
    for typed in ("\n", "maybe\n", "n\n"):
        await shown(keyboard, "[y/n]")
        assert not asked.done()
        os.write(keyboard, typed.encode())
    assert await asked == Answer(False, user_name())


async def test_under_a_live_view_no_question_is_written(tmp_path: Path, terminal: tuple[int, str]) -> None:
    """The view shows it as its last line; after Enter the cursor is taken back there, or the view would lose a line."""
    keyboard, path = terminal
    asked = asyncio.create_task(Keeper(tmp_path, path, prompts=False).ask())
    os.set_blocking(keyboard, False)
    seen = b""
    async with asyncio.timeout(30):
        while b"\x1b[A" not in seen:
            os.write(keyboard, b"maybe\n")  # again: what comes before it reads is thrown away
            await asyncio.sleep(0)
            with suppress(BlockingIOError):
                seen += os.read(keyboard, 4096)
    os.write(keyboard, b"y\n")
    assert await asked == Answer(True, user_name())
    assert b"[y/n]" not in seen


async def test_what_was_typed_before_is_no_answer(tmp_path: Path, terminal: tuple[int, str]) -> None:
    """A line that waited in the terminal before the question came is thrown away."""
    keyboard, path = terminal
    os.write(keyboard, b"y\n")
    asked = asyncio.create_task(Keeper(tmp_path, path).ask())
    await shown(keyboard, "[y/n]")
    os.write(keyboard, b"n\n")
    assert await asked == Answer(False, user_name())


async def test_an_answer_from_elsewhere_takes_the_question_back(
    tmp_path: Path, terminal: tuple[int, str]
) -> None:
    """Where `runs approve` comes first, the terminal is not read any more."""
    keyboard, path = terminal
    keeper = Keeper(tmp_path, path)
    asked = asyncio.create_task(keeper.ask())
    await shown(keyboard, "[y/n]")
    keeper.control.answer("go", go=True, who="ada", at=NOW)
    assert await asked == Answer(True, "ada")
    assert len(asyncio.all_tasks()) == 1
    os.write(keyboard, b"n\n")  # nobody takes it
    screen = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    assert os.read(screen, 100) == b"n\n"
    os.close(screen)
