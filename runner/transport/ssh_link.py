"""One login on a host, with several commands at once over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import asyncssh

from runner.errors import ConnectionLost
from runner.transport.endpoint import Endpoint
from runner.transport.port import Receiver
from runner.transport.ssh_channel import SshChannel
from runner.transport.ssh_channels import ChannelSlots, Slot
from runner.transport.ssh_command import remote_command
from runner.transport.ssh_errors import (
    channel_refused,
    link_closed,
    link_lost,
    open_timed_out,
    subsystem_missing,
)
from runner.transport.ssh_process import SshProcess

#: Seconds for saying goodbye before the line is cut, and for the host to answer a question about a process group.
_GOODBYE, _ANSWER = 2.0, 10.0
#: Seconds before asking again for a channel that was refused, each time.
_REFUSED_PAUSES = (0.02, 0.1, 0.4)
#: Seconds that commands still running have to end when the connection is closed, and that ending them may take.
_CLOSE_GRACE, _LAST_STOP = 1.0, 5.0

_Channel = TypeVar("_Channel", bound=SshChannel)


class SshLink:
    """A kept link to one host, of which a :class:`runner.transport.ssh_connection.SshConnection` has one or more.

    ``open_timeout`` bounds the start of a command, in seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        link: asyncssh.SSHClientConnection,
        *,
        open_timeout: float,
        environment: Mapping[str, str],
    ) -> None:
        self._endpoint = endpoint
        self._link = link
        self._open_timeout = open_timeout
        self._environment: dict[bytes | str, bytes | str] = dict(environment.items())
        self._slots = ChannelSlots()
        self._asking = asyncio.Lock()
        self._orphans: set[asyncio.Task[None]] = set()
        self._running: set[SshChannel] = set()
        self._given_up = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """What it was opened for."""
        return self._endpoint

    @property
    def lost(self) -> bool:
        """Whether the link is known to be broken, or closed."""
        return self._closing is not None or self._given_up or self._link.is_closed()

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> SshProcess:
        """Start ``command`` (argv) as the leader of a new process group, standard input open.

        Waits while as many commands run as the host allows, but not for one that is ``kept``, nor being one.

        Raises:
            ConnectionLost: the link is gone, or the host does not start the command in time.
            ExecutionFailed: the host refuses to run a command.
            NoChannel: another link has to be used.

        """
        text = remote_command(command)

        def process(give_back: Callable[[], None]) -> SshProcess:
            return SshProcess(self._endpoint.host, receiver, self._ask, give_back)

        return await self._start(process, {"command": text}, kept=kept)

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> SshChannel:
        """Start a subsystem of the SSH server; what it is made of is not known, so a stop closes it.

        Raises:
            ConnectionLost: the link is gone, or the host does not start it in time.
            ExecutionFailed: the host has no such subsystem (``subsystem-missing``).
            NoChannel: another link has to be used.

        """

        def channel(give_back: Callable[[], None]) -> SshChannel:
            return SshChannel(self._endpoint.host, receiver, give_back)

        return await self._start(channel, {"subsystem": name}, kept=kept)

    async def _start(
        self, make: Callable[[Callable[[], None]], _Channel], asked: Mapping[str, str], *, kept: bool
    ) -> _Channel:
        """Open a channel that asks for a command or a subsystem."""
        for pause in _REFUSED_PAUSES:
            try:
                return await self._open(make, asked, kept=kept)
            except _RefusedForNow:
                # The limit has shrunk to what runs, so the next attempt waits for an end. The pause is for sshd, which
                # counts a session for a moment longer than its channel is there.
                await asyncio.sleep(pause)
        return await self._open(make, asked, kept=kept, last=True)

    async def _open(
        self,
        make: Callable[[Callable[[], None]], _Channel],
        asked: Mapping[str, str],
        *,
        kept: bool,
        last: bool = False,
    ) -> _Channel:
        slot = await self._slots.acquire(kept=kept)
        if self.lost:
            slot.release()
            raise self._gone()
        process = make(slot.release)
        opening = asyncio.create_task(self._session(asked, process))
        try:
            async with asyncio.timeout(self._open_timeout):
                await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._abandon(opening, process, slot)
            raise
        except (asyncssh.Error, OSError) as error:
            if isinstance(error, asyncssh.ChannelOpenError) and _is_refusal(error) and "subsystem" in asked:
                slot.release()
                raise subsystem_missing(self._endpoint.host, asked["subsystem"]) from error
            raise self._not_opened(error, opening, process, slot, last=last) from error
        self._running.add(process)
        process.on_end(lambda: self._running.discard(process))
        return process

    async def _session(self, asked: Mapping[str, str], process: SshChannel) -> None:
        await self._link.create_session(
            lambda: process,
            asked.get("command"),
            subsystem=asked.get("subsystem"),
            encoding=None,
            request_pty=False,
            env=self._environment or None,
        )

    def _not_opened(
        self,
        error: asyncssh.Error | OSError,
        opening: asyncio.Task[None],
        process: SshChannel,
        slot: Slot,
        *,
        last: bool,
    ) -> Exception:
        host = self._endpoint.host
        if isinstance(error, asyncssh.ChannelOpenError) and not self.lost:
            slot.refused()
            return channel_refused(host, error) if last or _is_refusal(error) else _RefusedForNow()
        slot.release()
        if isinstance(error, TimeoutError):
            opening.cancel()
            # A host that does not answer this will answer nothing else; and once cut, it cannot start it later.
            self._cut()
            return open_timed_out(host, self._open_timeout, may_have_run=process.opened)
        return link_lost(host, error, may_have_run=process.opened, phase="open")

    def _abandon(self, opening: asyncio.Task[None], process: SshChannel, slot: Slot) -> None:
        """The caller has gone while the command was being started: end it as soon as it is there."""

        async def end() -> None:
            try:
                async with asyncio.timeout(self._open_timeout):
                    await opening
                await process.stop(0)
            except (asyncssh.Error, OSError):
                self._cut()
            finally:
                slot.release()

        task = asyncio.create_task(end())
        self._orphans.add(task)
        task.add_done_callback(self._orphans.discard)

    def _cut(self) -> None:
        """Give the link up at once."""
        self._given_up = True
        self._link.abort()

    def _gone(self) -> ConnectionLost:
        if self._closing is not None:
            return link_closed(self._endpoint.host)
        return link_lost(self._endpoint.host, None, may_have_run=False, phase="open")

    async def _ask(self, text: str) -> bytes | None:
        """Run a short command outside of the limit, one at a time; None where the host cannot be asked."""
        if self._link.is_closed():
            return None
        answer = _Answer()
        try:
            async with asyncio.timeout(_ANSWER), self._asking:
                await self._link.create_session(lambda: answer, text, encoding=None, request_pty=False)
                await answer.ended.wait()
        except (asyncssh.Error, OSError):
            return None
        return bytes(answer.output)

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """Whether the peer still answers within ``timeout`` seconds; never opens a new connection."""
        if self.lost:
            return False
        try:
            async with asyncio.timeout(timeout):
                # asyncssh has no public way to ask for a sign of life; this is what its own keepalive sends.
                await self._link._make_global_request(b"keepalive@openssh.com")  # noqa: SLF001 - see above
        except (asyncssh.Error, OSError):
            return False
        return not self.lost

    async def close(self) -> None:
        """Close; idempotent, never raises, bounded in time even when the peer is dead."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        ending = [*self._orphans, *(asyncio.ensure_future(each.stop(_CLOSE_GRACE)) for each in self._running)]
        if ending and not self._link.is_closed():
            # sshd lets commands run on when the line is cut, so they are ended first.
            await asyncio.wait(ending, timeout=_LAST_STOP)
        await close_link(self._link)


async def close_link(link: asyncssh.SSHClientConnection) -> None:
    """Say goodbye, and cut the line where the peer does not answer."""
    link.close()
    try:
        async with asyncio.timeout(_GOODBYE):
            await link.wait_closed()
    except TimeoutError:
        link.abort()
    except (asyncssh.Error, OSError):
        return


def _is_refusal(error: asyncssh.ChannelOpenError) -> bool:
    """Whether the channel was opened, and what was asked of it was refused."""
    return error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED


class _RefusedForNow(Exception):
    """The host refused a channel while others run over the connection."""


class _Answer(asyncssh.SSHClientSession[bytes]):
    """Gathers the output of a short command."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.ended = asyncio.Event()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self.output += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
