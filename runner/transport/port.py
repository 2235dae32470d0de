"""The port every transport implements: connect, start a process, stop it, close. One contract suite tests them all.

A transport knows nothing of scripts: it starts a command and moves bytes. What the bytes mean is ``runner.shell``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable

from runner.transport.carrier import Carrier
from runner.transport.endpoint import Endpoint
from runner.values import Secret


class Stream(IntEnum):
    """Where output came from; the numbers are POSIX's."""

    STDOUT = 1
    STDERR = 2


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: a code, or the name of a signal without ``SIG`` (``KILL``), never both."""

    code: int | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A credential's values, read before the first connection (language.md, "Secrets").

    ``private_key`` is the key's own text (OpenSSH or PEM), ``certificate`` an OpenSSH certificate's text.
    ``agent`` asks for the ssh agent; without a credential agent and default keys are tried anyway.
    Over WinRM ``certificate`` is the client's X.509 certificate in PEM and ``private_key`` its key.
    """

    username: str | None = None
    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    certificate: str | None = None
    agent: bool = False


class Receiver(Protocol):
    """Takes a process's output as it comes, in order for each stream. Must not block and must not raise."""

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output (never empty)."""


class Process(Protocol):
    """A command running on a host. Single owner: one coroutine writes, one waits."""

    async def write(self, data: bytes) -> None:
        """Send to standard input, waiting while the peer is slow; silently dropped when the process has ended."""

    async def write_eof(self) -> None:
        """End standard input; harmless when it has ended already."""

    async def wait(self) -> Exit:
        """Wait for the end, all output having been received before.

        Raises:
            ConnectionLost: the link broke first.

        """

    async def stop(self, grace: float) -> bool:
        """End the process and its process group: TERM, after ``grace`` seconds KILL. Idempotent.

        Returns:
            True when nothing of the group is left, False when that could not be made sure.

        """

    async def interrupt(self) -> bool:
        """Send INT to the process and its process group, as Ctrl-C would; does not wait for what comes of it.

        Returns:
            True when the signal was sent, False where it could not be or the process has ended.

        """


class Link(Protocol):
    """An open, kept link to one host, whatever runs over it."""

    @property
    def endpoint(self) -> Endpoint:
        """What it was opened for."""

    @property
    def lost(self) -> bool:
        """Whether the link is known to be broken."""

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long the peer may take is the question
        """Whether the peer still answers within ``timeout`` seconds; never opens a new connection."""

    async def close(self) -> None:
        """Close; idempotent, never raises, bounded in time even when the peer is dead."""


@runtime_checkable
class Connection(Link, Protocol):
    """A link over which processes run, several at once."""

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> Process:
        """Start ``command`` (argv) as the leader of a new process group, standard input open.

        Where a peer allows only so many at once it waits for the end of others, but never for a ``kept`` one, which
        may itself end only when others have run.

        Raises:
            ConnectionLost: the link is gone (``may_have_run`` False).
            Unreachable: a further link was needed and could not be opened; nothing was run.
            ExecutionFailed: the program cannot be started: code ``program-missing`` where the transport can know
                that (over SSH a login shell ends with 126 or 127 instead).

        """

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> Process:
        """Start a subsystem of the SSH server (RFC 4254 6.5); its process group is not known, so a stop closes it.

        It waits, and is waited for, as :meth:`start` says.

        Raises:
            ConnectionLost: the link is gone.
            Unreachable: a further link was needed and could not be opened; nothing was run.
            ExecutionFailed: the server has no such subsystem (``subsystem-missing``), or this is not SSH.

        """


@runtime_checkable
class PowerShellLink(Link, Protocol):
    """A link that carries PowerShell remoting and nothing else: WinRM."""

    def carrier(self, *, name: str | None = None) -> Carrier:
        """A carrier for one new runspace pool; ``name`` is the session's name (``rsp:Name``). Nothing is sent yet."""


class Transport(Protocol):
    """Knows how to open connections of one kind."""

    @property
    def name(self) -> str:
        """``local``, ``ssh`` ..."""

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        """Open a connection within ``endpoint.connect_timeout``.

        Raises:
            Unreachable: with the reason's own code: name, refused, timeout, host key, login.

        """

    async def close(self) -> None:
        """Close what is shared between connections (jump hosts); idempotent, never raises."""


@runtime_checkable
class Knocks(Protocol):
    """A transport that may reach hosts through others, and other ports of them by the same way."""

    async def knock(self, endpoint: Endpoint, login: Login | None, address: str, port: int) -> bool:
        """Open a TCP connection to a port of a host by the way to it, and close it; nothing is sent.

        Returns:
            False where there is no such way, as nothing stands between: nothing was tried.

        Raises:
            Unreachable: the port does not answer there, or the way cannot be used.

        """
