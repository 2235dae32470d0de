"""Answers gates: a person at this terminal, or ``runner runs approve`` at any other, whichever comes first.

The terminal is read without a thread, so that a question can be taken back, and only while the run is in its
foreground: a background job that reads is stopped by the system.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from runner.engine.port import Clock
from runner.execute.ports import Answer
from runner.journal.control import Control, WaitingGate
from runner.journal.record import Answered
from runner.present.harmless import harmless

POLL: Final = 0.5
"""Seconds between looks for an answer of ``runs approve``: one small directory entry, and nobody waits longer."""

_LINE_UP: Final = "\x1b[A"
"""Takes back that the terminal went to the next line at Enter, as the live view counts its lines from its last."""

_YES = frozenset({"y", "yes"})
_NO = frozenset({"n", "no"})


class RunGatekeeper:
    """Implements :class:`runner.execute.ports.Gatekeeper` for one run.

    Args:
        control: where ``runs approve`` leaves its answers.
        clock: says when ``until`` has passed.
        terminal: the path of the terminal to ask on, None where nobody sits there or nothing may be asked.
        before: answers that were given while nobody ran the run, by step.
        answered: told every answer, for the journal.
        prompts: write the question to the terminal; False where a live view shows it as its last line.

    """

    def __init__(
        self,
        control: Control,
        clock: Clock,
        *,
        terminal: str | None,
        before: Mapping[str, Answered],
        answered: Callable[[Answered], None],
        prompts: bool = True,
    ) -> None:
        self._control = control
        self._clock = clock
        self._terminal = terminal
        self._before = before
        self._answered = answered
        self._prompts = prompts
        self._asking = asyncio.Lock()

    @property
    def can_ask(self) -> bool:
        """Always: ``runs approve`` answers where there is no terminal, before a resumed run too."""
        return True

    async def ask(self, step: str, message: str, until: datetime | None) -> Answer | None:
        """The answer; None where ``until`` passed without one.

        Without a terminal and without ``until`` nobody may ever come: then only an answer that is there counts.
        """
        found = self._before.get(step)
        if found is None and self._terminal is None and until is None:
            return None
        if found is None:
            self._control.open_gate(WaitingGate(step, message, self._clock.utc(), until))
            try:
                found = await self._answer(step, message, until)
            finally:
                self._control.close_gate(step)
        if found is None:
            return None
        self._answered(found)
        return Answer(found.go, found.who)

    async def _answer(self, step: str, message: str, until: datetime | None) -> Answered | None:
        asked = None
        if self._terminal is not None:
            asked = asyncio.ensure_future(self._ask_here(self._terminal, step, message))
        try:
            while True:
                if asked is not None and asked.done():
                    return asked.result()
                if (answer := self._control.answered(step)) is not None:
                    return answer
                left = POLL if until is None else (until - self._clock.utc()).total_seconds()
                if left <= 0:
                    return None
                await self._wait(min(left, POLL), asked)
        finally:
            if asked is not None:
                asked.cancel()
                with suppress(asyncio.CancelledError):
                    await asked

    async def _wait(self, seconds: float, asked: asyncio.Future[Answered] | None) -> None:
        if asked is None:
            await self._clock.sleep(seconds)
        else:
            await asyncio.wait({asked}, timeout=seconds)

    async def _ask_here(self, path: str, step: str, message: str) -> Answered:
        """Ask until ``y`` or ``n`` is typed; several gates ask one after another."""
        async with self._asking:
            terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                with suppress(termios.error):
                    termios.tcflush(terminal, termios.TCIFLUSH)  # what was typed before is no answer
                while True:
                    if self._prompts:
                        _write(terminal, f"\ngate `{step}`: {harmless(message)}\ngo on? [y/n] ")
                    typed = await _line(terminal)
                    if not self._prompts:
                        _write(terminal, _LINE_UP)
                    if not typed:  # closed: the answer can come from elsewhere only
                        await asyncio.Event().wait()
                    if (word := typed.strip().lower()) in _YES | _NO:
                        return Answered(step, word in _YES, user_name(), self._clock.utc())
            finally:
                os.close(terminal)


def controlling_terminal() -> str | None:
    """The terminal that this process may ask on: it has one and is in its foreground."""
    path = "/dev/tty"
    try:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        return path if os.tcgetpgrp(terminal) == os.getpgrp() else None
    except (OSError, termios.error):
        return None
    finally:
        os.close(terminal)


def user_name() -> str:
    """Who answers: the login name, else the number of the user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        return str(os.getuid())


def _write(terminal: int, text: str) -> None:
    with suppress(OSError):  # it was closed; the hang-up stops the run
        os.write(terminal, text.encode(errors="replace"))


async def _line(terminal: int) -> str:
    """A line that is typed; nothing at the end of the input."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        try:
            data = os.read(terminal, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not typed.done():
            typed.set_result(data.decode(errors="replace"))

    loop.add_reader(terminal, read)
    try:
        return await typed
    finally:
        loop.remove_reader(terminal)
