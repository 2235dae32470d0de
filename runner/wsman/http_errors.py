"""How far a connection of WinRM came, and the words for what ended it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.transport.socket_errors import NO_FILES_LEFT, no_files_left, socket_failure


class Phase(StrEnum):
    """How far a connection came; the words stand in the message of a timeout."""

    WAITING = "other connections to the host were still being opened"
    NAME = "the name was being looked up"
    TCP = "no answer to the TCP connection"
    PROXY = "the proxy did not connect to the host"
    TLS = "the TLS handshake did not end"
    LOGIN = "the login was not answered"


@dataclass(slots=True)
class Attempt:
    """What is known of one try to connect; words the errors.

    Attributes:
        host: the name the run knows the host by.
        target: scheme, address and port that are tried.
        timeout: seconds for all of it.
        via: proxy it goes through, without its credentials.

    """

    host: str
    target: str
    timeout: float
    via: str | None = None
    phase: Phase = Phase.WAITING

    def unreachable(self, code: str, message: str, *hints: str) -> Unreachable:
        """An error that says what was tried and that nothing was run."""
        through = f" through the proxy `{self.via}`" if self.via else ""
        return Unreachable(code, f"{message} (tried: {self.target}{through}); nothing was run", hints=hints)

    def timed_out(self) -> Unreachable:
        """The time for connecting is over."""
        return self.unreachable(
            "connect-timeout",
            f"connecting to `{self.host}` took longer than {self.timeout:g} s: {self.phase}",
            "raise `connect_timeout` if the host is slow"
            if self.phase in {Phase.WAITING, Phase.TLS, Phase.LOGIN}
            else "check that the host is up, and that no firewall drops the port",
        )

    def socket_error(self, error: OSError) -> Unreachable:
        """The system could not connect, or the peer hung up before the login was over."""
        what = f"the proxy `{self.via}` for `{self.host}`" if self.via else f"`{self.host}`"
        if error.errno in NO_FILES_LEFT:
            return no_files_left(what)
        known = socket_failure(
            error,
            what,
            unresolved="set `address:` in the inventory"
            if not self.via
            else "check HTTPS_PROXY and HTTP_PROXY",
            refused="check `port:` and `use_ssl:`; on the host"
            " `winrm enumerate winrm/config/listener` lists the listeners",
        )
        if known is not None:
            return self.unreachable(known.code, known.message, *known.hints)
        return self.dropped(error.strerror or "the connection broke")

    def dropped(self, why: str) -> Unreachable:
        """The peer hung up before the login was over."""
        what = f"the proxy `{self.via}`" if self.phase is Phase.PROXY else f"`{self.host}`"
        return self.unreachable(
            "winrm-dropped",
            f"{what} broke off before the login was over: {why}",
            "check that the port is WinRM's, and that `use_ssl:` is as the listener has it",
        )


_SENT = "; what was sent may have run"


def reason(error: HostError) -> str:
    """What happened, without what became of what was sent: where that was no script, nothing can have run."""
    return error.message.removesuffix(_SENT)


def lost(host: str, why: str) -> ConnectionLost:
    """The connection broke after the envelope went out."""
    return ConnectionLost(
        "connection-lost",
        f"the link to `{host}` broke: {why}{_SENT}",
        hints=("the host may have restarted or lost its network",),
        phase="send",
        may_have_run=True,
    )


def unanswered(host: str, seconds: float) -> ConnectionLost:
    """The server let the time for its answer go by."""
    return ConnectionLost(
        "answer-timeout",
        f"`{host}` did not answer within {seconds:g} s{_SENT}",
        hints=("the host may be overloaded, or its WinRM service may hang: `Restart-Service WinRM`",),
        phase="send",
        may_have_run=True,
    )


def closed(host: str) -> ConnectionLost:
    """The runner closed the wire itself."""
    return ConnectionLost(
        "connection-closed", f"the connection to `{host}` was closed before; nothing was run", phase="open"
    )
