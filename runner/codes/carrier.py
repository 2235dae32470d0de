"""Codes of the area ``carrier``: packets over a child process or an SSH subsystem."""

from __future__ import annotations

from runner.codes.page import CodePage

_NOTHING_RAN = "Nothing was run on the host; its status is `unreachable`, and the other hosts go on."
_LOST = (
    "The session and what it kept (variables, location, loaded modules) are gone; the message says whether the script "
    "may have run. A step that needs the session gets a new one by the session's own policy."
)

CODES: dict[str, CodePage] = {
    "engine-missing": CodePage(
        "PowerShell is not installed where it was looked for",
        "The program could not be started on this machine, or the host's shell said so (exit code 126 or 127) when sshd "
        "started the subsystem. In sshd_config the program is named by its whole path, without spaces. "
        f"{_NOTHING_RAN}",
        "Subsystem powershell pwsh -sshs",
        "Subsystem powershell /usr/bin/pwsh -sshs -NoLogo -NoProfile",
    ),
    "subsystem-missing": CodePage(
        "The host's sshd has no such subsystem",
        "PowerShell over SSH needs a line in the host's sshd_config, and sshd to be reloaded. Its name is `powershell` "
        f"unless `subsystem:` says otherwise. The local machine has no subsystems at all. {_NOTHING_RAN}",
        "connection: {transport: ssh, subsystem: pwsh7}",
        "connection: {transport: ssh, subsystem: powershell}",
    ),
    "engine-ended": CodePage(
        "PowerShell ended before it took the session",
        "It was started and ended at once. The message has its exit code and what it wrote: mostly a broken "
        f"installation, a full disk, or a login that is not allowed to run programs. {_NOTHING_RAN}",
    ),
    "engine-not-speaking": CodePage(
        "Something answers that is not PowerShell's server mode",
        "What came is no packet of PowerShell remoting. The subsystem's line may lack `-sshs` (`-s` for a process), or a "
        "start-up file of the login shell prints and ends. A banner before the first packet is skipped; this is "
        f"told when nothing else came. {_NOTHING_RAN}",
        "Subsystem powershell /usr/bin/pwsh -NoLogo",
        "Subsystem powershell /usr/bin/pwsh -sshs -NoLogo -NoProfile",
    ),
    "engine-lost": CodePage(
        "PowerShell ended under an open session",
        "The process was killed, crashed, or ended itself: a script that calls `[Environment]::Exit()` does so. "
        f"{_LOST}",
        "script: '[Environment]::Exit(3)'",
        "script: exit 3",
    ),
    "engine-error": CodePage(
        "PowerShell reported an error of its own instead of going on",
        "`pwsh -sshs` writes such an error into its output (`__NamedPipeError__:`) and the session cannot be used "
        f"afterwards. {_LOST}",
    ),
    "engine-protocol": CodePage(
        "What came from the host, or went to it, is not what the remoting protocol has there",
        "A line that is no packet, an acknowledgement of nothing, a line without end, or a packet that was sent in part "
        "because the step was given up in its midst. Nothing that follows could be trusted, so the session is ended. "
        f"{_LOST}",
    ),
}
