"""A command on a host: bytes in both directions, its end, and stopping it with all it started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from runner.transport.port import Receiver, Stream
from runner.transport.ssh_channel import SshChannel
from runner.transport.ssh_command import Preamble, group_command, group_left

#: Seconds that a killed process has to go, and the command to say its pid.
_KILL_WAIT = 5.0
#: Seconds between two looks at a group that was told to end: at first often, then seldom.
_FIRST_LOOK, _LAST_LOOK = 0.02, 0.5

Ask = Callable[[str], Awaitable[bytes | None]]


class SshProcess(SshChannel):
    """One channel with one command that says its process group first.

    ``ask`` runs a short command over the same connection and gives its output, or None where that cannot be done.
    """

    def __init__(self, host: str, receiver: Receiver, ask: Ask, on_end: Callable[[], None]) -> None:
        super().__init__(host, receiver, on_end)
        self._ask = ask
        self._preamble = Preamble()
        self._pid_known = asyncio.Event()

    def _stdout_received(self, data: bytes) -> None:
        """Output has come, after the line that names the group."""
        if not self._pid_known.is_set():
            data = self._preamble.feed(data)
            if not self._preamble.held:
                self._pid_known.set()
        if data:
            super()._stdout_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, and all output has come."""
        if rest := self._preamble.end():
            self._receiver.data_received(Stream.STDOUT, rest)
        self._pid_known.set()
        super().connection_lost(exc)

    async def interrupt(self) -> bool:
        """Send INT to the process group, as Ctrl-C would; does not wait for what comes of it.

        Returns:
            True when the signal was sent, False where it could not be or the process has ended.

        """
        group = await self._group()
        if self._ended.done() or group is None:
            return False
        return await self._look("INT", group) is not None

    async def stop(self, grace: float) -> bool:
        """End the process and its process group: TERM, after ``grace`` seconds KILL. Idempotent.

        Called again with a shorter ``grace`` while it is under way, it hurries.
        """
        return await super().stop(grace)

    async def _stop(self) -> bool:
        pid = await self._group()
        left = await self._end_group(pid) if pid is not None else None
        if left is None:
            await self._end_blindly()
        elif not left:
            # What the command wrote before it died is still on its way.
            await asyncio.wait([self._ended], timeout=_KILL_WAIT)
        await self._close_channel()
        return left is False

    async def _group(self) -> int | None:
        """The process group, once the command has said it; None where it does not say it soon."""
        try:
            async with asyncio.timeout(_KILL_WAIT):
                await self._pid_known.wait()
        except TimeoutError:
            return None
        return self._preamble.pid

    async def _end_group(self, group: int) -> bool | None:
        """TERM, wait, KILL, wait; whether something is left, or None where the host cannot be asked."""
        left = await self._look("TERM", group)
        left = await self._watch(group, left, lambda: self._stop_at)
        if left:
            end = asyncio.get_running_loop().time() + _KILL_WAIT
            left = await self._look("KILL", group)
            left = await self._watch(group, left, lambda: end)
        return left

    async def _watch(self, group: int, left: bool | None, until: Callable[[], float]) -> bool | None:
        """Look again and again, until nothing is left or the time is over."""
        pause = _FIRST_LOOK
        clock = asyncio.get_running_loop().time
        while left and clock() < until():
            await asyncio.sleep(min(pause, max(until() - clock(), 0)))
            pause = min(pause * 2, _LAST_LOOK)
            left = await self._look("look", group)
        return left

    async def _look(self, signal: str, group: int) -> bool | None:
        output = await self._ask(group_command(signal, group))
        return None if output is None else group_left(output)

    async def _end_blindly(self) -> None:
        """The way of the protocol itself, for hosts that cannot be asked; nobody confirms it."""
        loop = asyncio.get_running_loop()
        for signal, seconds in (("TERM", self._stop_at - loop.time()), ("KILL", _KILL_WAIT)):
            if not self._ended.done():
                self._signal(signal)
                await asyncio.wait([self._ended], timeout=max(seconds, 0))

    def _signal(self, name: str) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.send_signal(name)
