"""An open connection to one host, with several commands at once over it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import asyncssh

from runner.errors import ConnectionLost
from runner.transport.endpoint import Endpoint
from runner.transport.port import Receiver
from runner.transport.ssh_channels import ChannelSlots, Slot
from runner.transport.ssh_command import remote_command
from runner.transport.ssh_errors import channel_refused, link_closed, link_lost, open_timed_out
from runner.transport.ssh_process import SshProcess

#: Seconds for saying goodbye before the line is cut, and for the host to answer a question about a process group.
_GOODBYE, _ANSWER = 2.0, 10.0
#: Seconds before asking again for a channel that was refused, each time.
_REFUSED_PAUSES = (0.02, 0.1, 0.4)
#: Seconds that commands still running have to end when the connection is closed, and that ending them may take.
_CLOSE_GRACE, _LAST_STOP = 1.0, 5.0


class SshConnection:
    """A kept link to one host. ``open_timeout`` bounds the start of a command, in seconds."""

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
        self._running: set[SshProcess] = set()
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

    async def start(self, command: Sequence[str], receiver: Receiver) -> SshProcess:
        """Start ``command`` (argv) as the leader of a new process group, standard input open.

        Waits while as many commands run as the host allows.

        Raises:
            ConnectionLost: the link is gone, or the host does not start the command in time.
            ExecutionFailed: the host refuses to run a command.

        """
        text = remote_command(command)
        for pause in _REFUSED_PAUSES:
            try:
                return await self._open(text, receiver)
            except _RefusedForNow:
                # The limit has shrunk to what runs, so the next attempt waits for an end. The pause is for sshd, which
                # counts a session for a moment longer than its channel is there.
                await asyncio.sleep(pause)
        return await self._open(text, receiver, last=True)

    async def _open(self, text: str, receiver: Receiver, *, last: bool = False) -> SshProcess:
        slot = await self._slots.acquire()
        if self.lost:
            slot.release()
            raise self._gone()
        process = SshProcess(self._endpoint.host, receiver, self._ask, slot.release)
        opening = asyncio.create_task(self._session(text, process))
        try:
            async with asyncio.timeout(self._open_timeout):
                await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._abandon(opening, process, slot)
            raise
        except (asyncssh.Error, OSError) as error:
            raise self._not_opened(error, opening, process, slot, last=last) from error
        self._running.add(process)
        process.on_end(lambda: self._running.discard(process))
        return process

    async def _session(self, text: str, process: SshProcess) -> None:
        await self._link.create_session(
            lambda: process, text, encoding=None, request_pty=False, env=self._environment or None
        )

    def _not_opened(
        self,
        error: asyncssh.Error | OSError,
        opening: asyncio.Task[None],
        process: SshProcess,
        slot: Slot,
        *,
        last: bool,
    ) -> Exception:
        host = self._endpoint.host
        if isinstance(error, asyncssh.ChannelOpenError) and not self.lost:
            slot.refused()
            cannot = last or error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED
            return channel_refused(host, error) if cannot else _RefusedForNow()
        slot.release()
        if isinstance(error, TimeoutError):
            opening.cancel()
            # A host that does not answer this will answer nothing else; and once cut, it cannot start it later.
            self._cut()
            return open_timed_out(host, self._open_timeout, may_have_run=process.opened)
        return link_lost(host, error, may_have_run=process.opened, phase="open")

    def _abandon(self, opening: asyncio.Task[None], process: SshProcess, slot: Slot) -> None:
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
