"""Faults in the words of the runner: one code, one sentence, and what to type. Pure (remoting.md 5.2).

What PowerShell's error id is called stands beside the number, for whoever searches for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.transport.winrm_uris import configuration_name
from runner.wsman import faults
from runner.wsman.faults import Fault
from runner.wsman.quotas import quota


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom.

    Attributes:
        host: the name the run knows it by.
        url: where the request went.
        resource_uri: of the session configuration.
        what: the operation, as the runner names it: ``open a session``.
        opening: nothing is there yet, so a refusal makes the host unreachable.
        may_have_run: whether the author's script may have run when this is refused.

    """

    host: str
    url: str
    resource_uri: str
    what: str
    opening: bool = False
    may_have_run: bool = False

    def error(self, code: str, message: str, *hints: str) -> HostError:
        """An error of the kind that the moment asks for."""
        if self.opening:
            return Unreachable(code, f"{message}; nothing was run", hints=hints, phase="open")
        return ConnectionLost(code, message, hints=hints, may_have_run=self.may_have_run)


_NOTHING_RAN = "; nothing was run"


def in_the_midst(error: HostError, *, may_have_run: bool) -> HostError:
    """What an error is that came when the host had been reached before: it is not out of reach, and a script may run.

    Whoever connects anew, which a session does at any time, knows only that nothing was run by itself.
    """
    if not isinstance(error, Unreachable):
        return error
    what = "; the script may have run" if may_have_run else _NOTHING_RAN
    message = error.message.removesuffix(_NOTHING_RAN) + what
    return ConnectionLost(error.code, message, hints=error.hints, may_have_run=may_have_run)


def happened(error: HostError) -> str:
    """What an error says has happened, without what it says of scripts."""
    return error.message.removesuffix(_NOTHING_RAN)


# Codes of winerror.h and wsmerror.h that have one meaning whatever was asked; PowerShell's name for each beside it.
_ACCESS_DENIED = 5  # AccessDenied
_LOGON = frozenset(
    {1311, 1326, 1327, 1330, 1331, 1907, 1909}
)  # AuthenticationFailed, LogonFailure and their kin
_SHUTTING_DOWN = 1115  # ShutDownInProgress
_UNKNOWN_CONFIGURATION = frozenset({0x80338000, 0x8033803B, 0x8033815B})  # InvalidResourceUri
_NO_REMOTE_ACCESS = frozenset({0x803381AC, 0x803381E3})  # RemoteConnectionDisallowed
_NAME_REFUSED = 0x803381C2  # SessionCreateFailedInvalidName
_IDLE_TIMEOUT_REFUSED = 0x803381F2


def fault_error(fault: Fault, asked: Asked) -> HostError:
    """The error of a fault that cannot be gone on from."""
    if not fault.is_soap:
        return _http_error(fault, asked)
    found = quota(fault.code, fault.subcode, f"{fault.text} {fault.provider}", asked.resource_uri)
    if found is not None:
        return asked.error(
            found.code,
            f"`{asked.host}` cannot {asked.what}: {found.what}",
            f"on `{asked.host}`, as an administrator: {found.remedy}",
            found.other,
        )
    known = _known(fault.code, asked)
    if known is not None:
        return known
    return asked.error(
        "wsman-fault",
        f"`{asked.host}` refused to {asked.what}: {_said(fault)}",
        f"on `{asked.host}`: Get-WinEvent Microsoft-Windows-WinRM/Operational -MaxEvents 20",
    )


def _known(code: int | None, asked: Asked) -> HostError | None:
    """The error of a code with a meaning of its own."""
    host, configuration = asked.host, configuration_name(asked.resource_uri)
    if code == _ACCESS_DENIED:
        return asked.error(
            "configuration-denied",
            f"`{host}` accepted the login, but the user may not use the session configuration `{configuration}`"
            " (AccessDenied)",
            f"on `{host}`: Add-LocalGroupMember -Group 'Remote Management Users' -Member USER",
            f"or give the right itself: Set-PSSessionConfiguration -Name {configuration} -ShowSecurityDescriptorUI",
            "a local administrator who is not the built-in one needs LocalAccountTokenFilterPolicy = 1 on the host",
        )
    if code in _LOGON:
        return asked.error(
            "login-refused",
            f"`{host}` could not log the user in (LogonFailure, {code})",
            "check name and password",
        )
    if code in _UNKNOWN_CONFIGURATION:
        return asked.error(
            "configuration-unknown",
            f"`{host}` has no session configuration `{configuration}` (InvalidResourceUri)",
            f"on `{host}`: Get-PSSessionConfiguration | Select-Object Name",
            "PowerShell 7 makes its own with Enable-PSRemoting, run inside pwsh: PowerShell.7",
        )
    if code in _NO_REMOTE_ACCESS:
        return asked.error(
            "remote-access-disabled",
            f"`{host}` lets nobody from another machine use PowerShell (RemoteConnectionDisallowed)",
            f"on `{host}`: Enable-PSRemoting -Force",
            """or: winrm set winrm/config/winrs '@{AllowRemoteShellAccess="true"}'""",
        )
    return _known_later(code, asked)


def _known_later(code: int | None, asked: Asked) -> HostError | None:
    """The error of a code that says something of the session rather than of its opening."""
    host = asked.host
    if code in faults.GONE:
        return asked.error(
            "shell-gone",
            f"`{host}` no longer has the session: it or its process was ended there, it was idle for too long, or "
            "WinRM was restarted",
            f"what happened: on `{host}`, Get-WinEvent Microsoft-Windows-WinRM/Operational -MaxEvents 20",
            "a session that waits long between steps: `session_option: {idle_timeout: 12h}`",
            "a session that later steps do not need as it was: `on_loss: reopen`",
        )
    if code in faults.DISCONNECTED:
        return asked.error(
            "session-disconnected",
            f"somebody disconnected the session on `{host}`",
            "who is logged in there with the same user may have: give the run a user of its own",
        )
    if code == faults.OPERATION_TIMED_OUT:
        return asked.error(
            "wsman-timeout",
            f"`{host}` could not {asked.what} within its time",
            "give it more: `session_option: {operation_timeout: 10m}`",
        )
    if code == _SHUTTING_DOWN:
        return asked.error("host-shutting-down", f"`{host}` is shutting down (ShutDownInProgress)")
    if code in faults.TOO_LARGE:
        return asked.error(
            "envelope-too-large",
            f"`{host}` takes or sends less in one message than any Windows does by itself",
            f"""on `{host}`, as an administrator: winrm set winrm/config '@{{MaxEnvelopeSizekb="500"}}'""",
        )
    if code == _NAME_REFUSED:
        return asked.error(
            "session-name-refused",
            f"`{host}` does not accept the session's name (SessionCreateFailedInvalidName)",
        )
    if code == _IDLE_TIMEOUT_REFUSED:
        return asked.error(
            "idle-timeout-refused",
            f"`{host}` does not let a session be idle for that long, or for so short a time",
            f"on `{host}`: Get-Item WSMan:\\localhost\\Shell\\IdleTimeout",
        )
    return None


def _http_error(fault: Fault, asked: Asked) -> HostError:
    """The error of an answer that is not WSMan's."""
    said = f": {fault.text}" if fault.text else ", without a word"
    if fault.status == 404:
        return asked.error(
            "wsman-not-there",
            f"there is a web server at `{asked.url}`, but no WinRM under that path (HTTP 404{said})",
            "the path is `application_name`, or that of `connection_uri`: usually wsman",
        )
    if fault.status == 413:
        return asked.error(
            "envelope-too-large",
            f"`{asked.host}`, or what stands before it, does not take a message of that length (HTTP 413{said})",
            f"""on `{asked.host}`, as an administrator: winrm set winrm/config '@{{MaxEnvelopeSizekb="500"}}'""",
            "or let what stands before it take messages of 500 KiB",
        )
    return asked.error(
        "wsman-http-error",
        f"`{asked.host}` answered with HTTP {fault.status} and no WSMan message when asked to {asked.what}{said}",
        "look whether a proxy or a load balancer answers in its place",
        f"on `{asked.host}`: winrm enumerate winrm/config/listener",
    )


def pipeline_gone(asked: Asked) -> HostError:
    """The error of a command that the server has given up without saying how it ended."""
    return asked.error(
        "command-gone",
        f"`{asked.host}` gave up the command and did not say how it ended: somebody ended it there, or the session",
        "look whether it did its work before you run it again",
        f"what happened: on `{asked.host}`, Get-WinEvent Microsoft-Windows-WinRM/Operational -MaxEvents 20",
    )


def unreadable(reason: str, asked: Asked) -> HostError:
    """The error of an answer that says all is well, but cannot be read."""
    return asked.error(
        "wsman-unreadable",
        f"`{asked.host}` answered, but the answer cannot be used: {reason}",
        "look whether a proxy or a load balancer answers in its place",
    )


def _said(fault: Fault) -> str:
    """The server's own words and its code, as the end of a sentence."""
    words = fault.provider or fault.text or fault.subcode or f"HTTP {fault.status}, without a reason"
    return words if fault.code is None else f"{words} ({faults.signed(fault.code)})"
