"""What is told when the engine behind a stream of packets cannot be had, or is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.transport.port import Exit

#: Bytes of standard error that are kept (the end), of what is no packet (the beginning), and characters that are told.
_STDERR_KEPT, _NOISE_KEPT, _TOLD = 64 * 1024, 4 * 1024, 400
#: What a shell ends with when a program cannot be executed or is not there (POSIX 2.8.2).
_NOT_STARTED = (126, 127)
_SSHD_LINE = "`Subsystem powershell /usr/bin/pwsh -sshs -NoLogo -NoProfile`"


@dataclass
class Heard:
    """What an engine said that is no packet."""

    stderr: bytearray = field(default_factory=bytearray)
    noise: bytearray = field(default_factory=bytearray)
    noise_size: int = 0

    def add_stderr(self, data: bytes) -> None:
        """Keep the end of standard error."""
        self.stderr += data
        if len(self.stderr) > 2 * _STDERR_KEPT:
            del self.stderr[:-_STDERR_KEPT]

    def add_noise(self, line: bytes) -> None:
        """Keep the beginning of what came before the first packet."""
        self.noise_size += len(line) + 1
        if len(self.noise) < _NOISE_KEPT:
            self.noise += line[:_NOISE_KEPT] + b"\n"

    def words(self) -> str:
        """What is told of it, after a message: the error output, or else the noise."""
        return told(bytes(self.stderr), end=True) or told(bytes(self.noise))


def told(text: bytes, *, end: bool = False) -> str:
    r"""Output on one line for a message, without control characters; its beginning, or its ``end`` where it is long.

    >>> told(b"Last login: today\n  Welcome\x1b[0m\n")
    'Last login: today Welcome[0m'
    """
    words = " ".join(text.decode(errors="replace").split())
    line = "".join(character for character in words if character.isprintable())
    if len(line) <= _TOLD:
        return line
    return f"...{line[-_TOLD:]}" if end else f"{line[:_TOLD]}..."


def not_started(error: HostError, description: str) -> Unreachable:
    """The transport could not start the engine."""
    if error.code == "program-missing":
        reason = error.message.rpartition("cannot be started: ")[2]
        return _missing(description, reason, "say where it is: `interpreter: /opt/powershell/pwsh`")
    return _unreachable(error.code, error.message, *error.hints)


def not_opened(ended: Exit, heard: Heard, description: str) -> Unreachable:
    """The engine ended before it took the session."""
    said = heard.words()
    if ended.code in _NOT_STARTED:
        reason = said or f"the shell ended with {ended.code}"
        way = f"over SSH the line of sshd_config names the program by its whole path: {_SSHD_LINE}"
        return _missing(description, reason, way)
    if heard.noise and not heard.stderr:
        return not_speaking(heard, description)
    how = f": {said}" if said else ""
    return _unreachable(
        "engine-ended",
        f"{description} ended before it took the session ({exit_words(ended)}){how}",
        "start it by hand on the host; it should wait for input and say nothing",
    )


def not_speaking(heard: Heard, description: str) -> Unreachable:
    """Something answers that is not PowerShell's server mode."""
    return _unreachable(
        "engine-not-speaking",
        f"{description} does not speak PowerShell remoting; it said: {told(bytes(heard.noise))}",
        f"the line of sshd_config should be {_SSHD_LINE}; a login shell's start-up files should print nothing",
    )


def _missing(description: str, reason: str, way: str) -> Unreachable:
    return _unreachable(
        "engine-missing",
        f"{description} cannot be started: {reason}",
        "install PowerShell on the host: https://aka.ms/install-powershell",
        way,
    )


def _unreachable(code: str, message: str, *hints: str) -> Unreachable:
    said = "" if "nothing was run" in message else "; nothing was run"
    return Unreachable(code, message + said, hints=hints, phase="open")


def engine_lost(ended: Exit, heard: Heard, description: str, may_have_run: bool) -> ConnectionLost:
    """The engine ended under an open session."""
    words = heard.words()
    how = f": {words}" if words else ""
    return _lost("engine-lost", f"{description} ended ({exit_words(ended)}){how}", may_have_run=may_have_run)


def engine_error(text: bytes, description: str, may_have_run: bool, *, opened: bool) -> HostError:
    """The engine said that it is broken (``__NamedPipeError__:``)."""
    message = f"{description} broke off: {told(text)}"
    return _broken("engine-error", message, may_have_run, opened=opened)


def protocol_broken(reason: str, description: str, may_have_run: bool, *, opened: bool) -> HostError:
    """What came is not what the protocol has there, so nothing that follows can be trusted."""
    message = f"{description} broke the remoting protocol: {reason}"
    return _broken("engine-protocol", message, may_have_run, opened=opened)


def write_cut_short(description: str, may_have_run: bool, *, opened: bool) -> HostError:
    """A packet may have been sent in part, so that nothing can follow it."""
    message = f"sending to {description} was given up in the middle of a packet"
    return _broken("engine-protocol", message, may_have_run, opened=opened)


def closed(description: str) -> ConnectionLost:
    """The session was closed by us."""
    return _lost("connection-closed", f"the session with {description} was closed before", may_have_run=False)


def link_broken(error: HostError, may_have_run: bool, *, opened: bool) -> HostError:
    """The transport's own error for a link that broke under the engine, with what is known of the script."""
    message = error.message.partition("; the command may have run")[0]
    return _broken(error.code, message, may_have_run, *error.hints, opened=opened)


def _broken(code: str, message: str, may_have_run: bool, *hints: str, opened: bool) -> HostError:
    if not opened:
        return _unreachable(code, message, *hints)
    return _lost(code, message, *hints, may_have_run=may_have_run)


def _lost(code: str, message: str, *hints: str, may_have_run: bool) -> ConnectionLost:
    said = "the script may have run" if may_have_run else "nothing was run"
    return ConnectionLost(code, f"{message}; {said}", hints=hints, may_have_run=may_have_run)


def again(error: HostError) -> HostError:
    """The same error as an exception of its own: each who waits gets one, and may add to it."""
    return type(error)(
        error.code, error.message, hints=error.hints, phase=error.phase, may_have_run=error.may_have_run
    )


def exit_words(ended: Exit) -> str:
    """How a process ended.

    >>> exit_words(Exit(code=160)), exit_words(Exit(signal="KILL"))
    ('exit code 160', 'killed by KILL')
    """
    return f"killed by {ended.signal}" if ended.signal else f"exit code {ended.code}"
