"""The one place that turns what asyncssh and the sockets raise into the errors of the runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import asyncssh

from runner.errors import ConnectionLost, ExecutionFailed, HostError, Unreachable
from runner.transport.socket_errors import NO_FILES_LEFT, no_files_left, socket_failure


class Phase(StrEnum):
    """How far a connection came; the words stand in the message of a timeout."""

    NAME = "the name was being looked up"
    TCP = "no answer to the TCP connection"
    BANNER = "TCP connected, but the server did not say that it speaks SSH"
    HANDSHAKE = "the SSH handshake did not end"
    LOGIN = "the login was not answered"


@dataclass(slots=True)
class Attempt:
    """What is known of one try to connect; grows as the connection does, and words the errors.

    Attributes:
        host: the name the run knows the host by.
        target: ``address:port as user``, as it was really tried.
        via: the name of the jump host it goes through, or None.
        tried: each key, agent key or password that was offered, in words.
        unusable: why a key that was asked for could not be offered: code and sentence.
        refusal: the error a callback decided on while asyncssh was in charge; wins over asyncssh's own.

    """

    host: str
    target: str
    via: str | None = None
    timeout: float = 30.0
    phase: Phase = Phase.NAME
    tried: list[str] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    password_expired: bool = False
    refusal: Unreachable | None = None

    def unreachable(self, code: str, message: str, *hints: str) -> Unreachable:
        """An error that says what was tried and that nothing was run."""
        through = f" through `{self.via}`" if self.via else ""
        return Unreachable(code, f"{message} (tried: {self.target}{through}); nothing was run", hints=hints)

    def failure(self, error: BaseException) -> Unreachable:
        """The error for whatever ended the try."""
        if isinstance(error, Unreachable):
            return error
        if self.refusal is not None:
            return self.refusal
        if isinstance(error, asyncssh.Error):
            return self._from_ssh(error)
        if isinstance(error, OSError):
            return self._from_socket(error)
        return self.unreachable("ssh-option-invalid", f"cannot connect to `{self.host}`: {_text(error)}")

    def timed_out(self) -> Unreachable:
        """The time for connecting is over."""
        return self.unreachable(
            "connect-timeout",
            f"connecting to `{self.host}` took longer than {self.timeout:g} s: {self.phase}",
            "raise `connect_timeout` if the host is slow"
            if self.phase in (Phase.HANDSHAKE, Phase.LOGIN)
            else "check that the host is up and that no firewall drops the port",
        )

    def _from_socket(self, error: OSError) -> Unreachable:
        if isinstance(error, TimeoutError):
            return self.timed_out()
        what = f"`{self.host}`"
        if error.errno in NO_FILES_LEFT:
            return no_files_left(what)
        known = socket_failure(
            error,
            what,
            unresolved="set `address:` in the inventory, or `Hostname` in `~/.ssh/config`",
            refused="check `port:`, and that sshd runs there",
        )
        if known is not None:
            return self.unreachable(known.code, known.message, *known.hints)
        return self._closed(error.strerror or _text(error))

    def _from_ssh(self, error: asyncssh.Error) -> Unreachable:
        if isinstance(error, asyncssh.PermissionDenied):
            return self._login_refused()
        if isinstance(error, asyncssh.ChannelOpenError):
            return self._jump_refused(error)
        if "Too many authentication failures" in error.reason:
            return self.unreachable(
                "too-many-logins",
                f"`{self.host}` ended the login after too many keys: {self._tried()}",
                "add `options: {IdentitiesOnly: 'yes'}` with the right `key_file_path`, "
                "so that the agent's other keys are not offered",
            )
        if isinstance(error, asyncssh.KeyExchangeFailed | asyncssh.ProtocolNotSupported):
            return self.unreachable(
                "no-common-algorithm",
                f"no algorithm is common to `{self.host}` and the runner: {_text(error)}",
                "for an old server allow its algorithm in `options:`, as `KexAlgorithms: +diffie-hellman-group14-sha1`",
            )
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self.unreachable(
                "host-certificate-refused",
                f"the host certificate of `{self.host}` is not valid: {_text(error)}",
                "have the host's certificate signed again, for this name and the present time",
            )
        if isinstance(error, asyncssh.ConnectionLost):
            return self._closed(_text(error))
        return self.unreachable("ssh-protocol-error", f"`{self.host}` broke off: {_text(error)}")

    def _closed(self, why: str) -> Unreachable:
        return self.unreachable(
            "connection-dropped",
            f"`{self.host}` closed the connection during the {_step(self.phase)}: {why}",
            "sshd's log on the host says why; MaxStartups drops logins that come too fast",
        )

    def _login_refused(self) -> Unreachable:
        if self.unusable:
            code, message = self.unusable[0]
            return self.unreachable(code, message, *_KEY_HINTS.get(code, ()))
        if self.password_expired:
            return self.unreachable(
                "login-refused",
                f"`{self.host}` wants the password changed before it lets anybody in",
                f"log in once by hand: `ssh {self.target.split(' as ')[-1]}@{self.host}`",
            )
        if not self.tried:
            return self.unreachable(
                "login-refused",
                f"there was no key, agent or password to log in to `{self.host}` with",
                "set `credential:` or `key_file_path:`, or add a key to the agent with `ssh-add`",
            )
        passwords_alone = all(method in _PASSWORD_METHODS for method in self.tried)
        return self.unreachable(
            "login-refused",
            f"`{self.host}` refused the login: {self._tried()}",
            "check `user_name:` and the password of the credential"
            if passwords_alone
            else "check `user_name:` and that the key stands in the user's `~/.ssh/authorized_keys`",
        )

    def _tried(self) -> str:
        return "tried " + (", ".join(self.tried) if self.tried else "nothing")

    def _jump_refused(self, error: asyncssh.ChannelOpenError) -> Unreachable:
        if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
            return self.unreachable(
                "jump-refused",
                f"the jump host `{self.via}` does not forward to `{self.host}`: {error.reason}",
                "set `AllowTcpForwarding yes` in the jump host's sshd_config",
            )
        return self.unreachable(
            "unreachable-from-jump",
            f"the jump host `{self.via}` cannot reach `{self.host}`: {error.reason}",
            "the name is resolved on the jump host; try `address:` with the IP address",
        )


_PASSWORD_METHODS = frozenset({"password", "keyboard-interactive"})
_KEY_HINTS: dict[str, Sequence[str]] = {
    "passphrase-missing": ("give the credential a `passphrase`, or add the key to the agent with `ssh-add`",),
}


def _step(phase: Phase) -> str:
    return {Phase.LOGIN: "login", Phase.NAME: "connect", Phase.TCP: "connect"}.get(phase, "handshake")


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def jump_unreachable(host: str, jump: str, cause: HostError) -> Unreachable:
    """The host cannot be reached because its jump host cannot."""
    return Unreachable(
        "jump-unreachable",
        f"the jump host `{jump}` of `{host}` cannot be used: {cause.message}",
        hints=cause.hints,
    )


def link_lost(
    host: str, why: BaseException | str | None, *, may_have_run: bool, phase: str
) -> ConnectionLost:
    """The link broke, was cut, or the peer stopped answering."""
    reason = f": {_text(why) if isinstance(why, BaseException) else why}" if why else ""
    said = "the command may have run" if may_have_run else "nothing was run"
    return ConnectionLost(
        "connection-lost",
        f"the link to `{host}` broke{reason}; {said}",
        hints=("the host may have restarted or lost its network",),
        phase=phase,
        may_have_run=may_have_run,
    )


def link_closed(host: str) -> ConnectionLost:
    """The runner closed the connection itself."""
    return ConnectionLost(
        "connection-closed", f"the connection to `{host}` was closed before; nothing was run", phase="open"
    )


def open_timed_out(host: str, seconds: float, *, may_have_run: bool) -> ConnectionLost:
    """The host is logged in to, but does not start a command in time."""
    said = "the command may have run" if may_have_run else "nothing was run"
    return ConnectionLost(
        "open-timeout",
        f"`{host}` did not start a command within {seconds:g} s of being asked; {said}",
        hints=("the host may be out of memory or processes, or its home directory may hang",),
        phase="open",
        may_have_run=may_have_run,
    )


def no_exit_status(host: str) -> ConnectionLost:
    """The host closed the channel and did not say how the command ended."""
    return ConnectionLost(
        "no-exit-status",
        f"`{host}` closed the channel without saying how the command ended; the command may have run",
        hints=("sshd's own process for the command may have been killed",),
        may_have_run=True,
    )


def channel_refused(host: str, error: asyncssh.ChannelOpenError) -> ExecutionFailed:
    """Sshd lets the user in but starts nothing for it."""
    if error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED:
        message = f"`{host}` refused to start a command"
    else:
        message = f"`{host}` refused a further channel: {error.reason}"
    return ExecutionFailed(
        "channel-refused",
        f"{message}; nothing was run",
        hints=("look at MaxSessions, ForceCommand and PermitTTY in the host's sshd_config",),
        phase="open",
    )


def subsystem_missing(host: str, name: str) -> ExecutionFailed:
    """Sshd has no line for the subsystem."""
    return ExecutionFailed(
        "subsystem-missing",
        f"`{host}` has no subsystem `{name}`; nothing was run",
        hints=(
            f"add to sshd_config: `Subsystem {name} /usr/bin/pwsh -sshs -NoLogo -NoProfile`, and reload sshd",
            f"on Windows the path has no spaces: `Subsystem {name} c:/progra~1/powershell/7/pwsh.exe -sshs -NoLogo`",
            "where PowerShell has no subsystem, `shell: sh` runs the script with sh",
        ),
        phase="open",
    )
