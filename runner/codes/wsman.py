"""Codes of the area ``wsman``: WSMan operations, their faults and quotas."""

from __future__ import annotations

from runner.codes.page import CodePage

_NOTHING_RAN = "While a session is being opened nothing has run, and the host's status is `unreachable`."

_QUOTAS: dict[str, CodePage] = {
    "quota-shells": CodePage(
        "The user has as many PowerShell sessions on the host as are allowed",
        "WinRM counts sessions for each user (MaxShellsPerUser, 30 by default on many versions) and for each session "
        "configuration. Sessions that were cut off count until they have been idle for two hours. The message says "
        f"which setting it was, and the hint the command that raises it. {_NOTHING_RAN}",
    ),
    "quota-users": CodePage(
        "As many users have PowerShell sessions on the host as are allowed",
        f"WinRM counts users who have sessions at the same time (MaxConcurrentUsers). {_NOTHING_RAN}",
    ),
    "quota-operations": CodePage(
        "The user has as many requests open on the host as are allowed",
        "Each running command holds one request, and each of its answers takes one for a moment "
        "(MaxConcurrentOperationsPerUser, 1500 by default on many versions).",
    ),
    "quota-processes": CodePage(
        "A session has started as many processes as are allowed",
        "WinRM ends what goes beyond MaxProcessesPerShell, which counts children of children too.",
    ),
    "quota-memory": CodePage(
        "There is not enough memory for the session on the host",
        "Either the session has reached MaxMemoryPerShellMB, or the machine itself has no more. A script that collects "
        "what it could pass on is the usual reason.",
        "script: $all = Get-ChildItem C:\\ -Recurse; $all | Select-Object FullName",
        "script: Get-ChildItem C:\\ -Recurse | Select-Object FullName",
    ),
}

_OPENING: dict[str, CodePage] = {
    "configuration-denied": CodePage(
        "The login was accepted, but the user may not use the session configuration",
        "A session configuration has rights of its own: Microsoft.PowerShell lets in administrators and members of "
        "Remote Management Users. A local account that is an administrator is none over the network unless the host "
        f"says so (LocalAccountTokenFilterPolicy). {_NOTHING_RAN}",
    ),
    "configuration-unknown": CodePage(
        "The host has no session configuration of that name",
        "`Get-PSSessionConfiguration` on the host lists them. PowerShell 7 has its own, named PowerShell.7, once "
        f"`Enable-PSRemoting` was run inside pwsh. {_NOTHING_RAN}",
        "connection: {transport: winrm, configuration_name: Powershell7}",
        "connection: {transport: winrm, configuration_name: PowerShell.7}",
    ),
    "remote-access-disabled": CodePage(
        "The host lets nobody from another machine use PowerShell",
        "`Disable-PSRemoting` or a policy forbids it, or AllowRemoteShellAccess is off. `Enable-PSRemoting -Force` on "
        f"the host allows it. {_NOTHING_RAN}",
    ),
    "session-name-refused": CodePage(
        "The host does not accept the name of the session",
        f"WinRM takes names without control characters, of limited length. {_NOTHING_RAN}",
    ),
    "idle-timeout-refused": CodePage(
        "The host does not let a session be idle for as long as was asked",
        f"The least is one minute, the most what the host's MaxIdleTimeoutms says. {_NOTHING_RAN}",
        "session_option: {idle_timeout: 30s}",
        "session_option: {idle_timeout: 2h}",
    ),
    "redirect-refused": CodePage(
        "The host sends us to another address, and that is not followed",
        "Following hands the login to whoever the host names. So it is done only for a `connection_uri` with "
        "`allow_redirection`, never from https to http, and over http only to the same host or one of `trusted_hosts`. "
        f"{_NOTHING_RAN}",
        "connection_uri: [https://ps.example.com/PowerShell]",
        "connection_uri: [https://ps.example.com/PowerShell]\nallow_redirection: true",
    ),
    "redirect-loop": CodePage(
        "The host sends us on in a circle, or too often",
        f"`maximum_redirection` of the session options says how often is too often: 5 unless said. {_NOTHING_RAN}",
        "session_option: {maximum_redirection: 1}",
        "session_option: {maximum_redirection: 5}",
    ),
}

_ANSWERS: dict[str, CodePage] = {
    "wsman-fault": CodePage(
        "The host refused an operation of WinRM",
        "The message has the host's own words and its code. The event log Microsoft-Windows-WinRM/Operational on the "
        "host has more.",
    ),
    "wsman-timeout": CodePage(
        "The host could not do an operation of WinRM in its time",
        "The time is `operation_timeout` of the session options, three minutes unless said. Waiting for output is not "
        "meant: that may take as long as the step may.",
        "session_option: {operation_timeout: 1s}",
        "session_option: {operation_timeout: 3m}",
    ),
    "wsman-not-there": CodePage(
        "A web server answers, but there is no WinRM at that path",
        "The path is `application_name`, wsman unless said, or the path of `connection_uri`. Another service on the "
        f"port looks the same. {_NOTHING_RAN}",
        "connection: {transport: winrm, application_name: powershell}",
        "connection: {transport: winrm, application_name: wsman}",
    ),
    "wsman-http-error": CodePage(
        "The host answered with an HTTP error and no word of WinRM",
        "Often a proxy or a load balancer answers in the host's place; WinRM itself does so when it is overloaded or "
        "is being restarted.",
    ),
    "wsman-unreadable": CodePage(
        "The host's answer is not one that WinRM gives",
        "It is no XML, no SOAP envelope, answers another question, or has what is refused for safety: a document type, "
        "elements nested without end, more bytes than any server sends.",
    ),
    "envelope-too-large": CodePage(
        "A message is longer than the host takes or sends",
        "Servers since Windows 8 take 500 KiB in one message, and so much is sent once the host has said that it is "
        "one. Where it refuses, everything is sent in messages of 150 KiB, which older ones take. This host, or a proxy "
        "before it, takes even less: its MaxEnvelopeSizekb may have been set so.",
    ),
    "host-shutting-down": CodePage(
        "The host is shutting down",
        "Windows opens no sessions any more while it goes down. After a restart the step can be run again.",
    ),
}

_LOSING: dict[str, CodePage] = {
    "shell-gone": CodePage(
        "The host no longer has the session",
        "It was closed there, it was idle for longer than the host allows, or WinRM was restarted. What the session "
        "held, variables and all, is gone with it.",
    ),
    "command-gone": CodePage(
        "The host gave up a command and did not say how it ended",
        "Somebody ended it on the host, or its process died. It may have run in part.",
    ),
    "session-disconnected": CodePage(
        "Somebody disconnected the session on the host",
        "An administrator can do so. The session lives on there, and what runs in it, until it has been idle for too "
        "long.",
    ),
    "network-not-restored": CodePage(
        "The connection was interrupted while a command ran, and did not come back",
        "For four minutes the command's output is asked for again; the host goes on running it meanwhile, and loses "
        "nothing. After that nothing more can be said of it: it may have ended, or may still be running.",
    ),
}

CODES: dict[str, CodePage] = {**_QUOTAS, **_OPENING, **_ANSWERS, **_LOSING}
