"""Codes of the area ``psrp``: runspace pools and pipelines."""

from __future__ import annotations

from runner.codes.page import CodePage

_NOTHING_RAN = "Nothing was run on the host; its status is `unreachable`, and the other hosts go on."
_LOST = (
    "The session and what it kept (variables, location, loaded modules) are gone; the message says whether the script "
    "may have run. A step that needs the session gets a new one by the session's own policy."
)

CODES: dict[str, CodePage] = {
    "pool-refused": CodePage(
        "The host's PowerShell did not open the session",
        "It was reached and answered, and said no; the message has its own words. A start-up script of the "
        f"endpoint that fails, or an answer that is no PowerShell remoting, look like this. {_NOTHING_RAN}",
    ),
    "pool-open-timeout": CodePage(
        "The host's PowerShell did not open the session in time",
        "Starting the engine, logging in and opening the session share `open_timeout`. An overloaded host, or a "
        f"profile that waits for something, take longer. {_NOTHING_RAN}",
        "session_option: {open_timeout: 5s}",
        "session_option: {open_timeout: 3m}",
    ),
    "pool-too-old": CodePage(
        "The host's PowerShell is too old to be used",
        "PowerShell 2 speaks remoting protocol 2.1 and would understand only half of what is sent. PowerShell 3 and 4 "
        "are used as far as they go; `$Using:` needs 5. Windows PowerShell 5.1 and PowerShell 7 have all of it. "
        f"{_NOTHING_RAN}",
    ),
    "pool-broken": CodePage(
        "The host's PowerShell ended the session",
        "It closed the session or called it broken while the connection held; the message has its own words. "
        f"{_LOST}",
    ),
    "pool-closed": CodePage(
        "The session was closed under the step",
        f"The run was ending, or the session was given up after a stop. {_LOST}",
    ),
    "pool-fragment": CodePage(
        "What the host sent cannot be put together",
        "Messages come in numbered parts; one was cut short, missing, or of another message. Something between "
        f"this machine and the host drops or mixes data. {_LOST}",
    ),
    "pool-object-too-large": CodePage(
        "The host sent an object larger than is allowed",
        "`maximum_received_object_size` (200 MB unless set) keeps one host from filling this machine's memory. "
        f"{_LOST}",
        "script: Get-Content big.log -Raw",
        "script: Get-Content big.log -Tail 1000",
    ),
    "pool-data-too-large": CodePage(
        "The host sent more for one step than is allowed",
        f"`maximum_received_data_size_per_command` limits all that one step may give back. {_LOST}",
        "session_option: {maximum_received_data_size_per_command: 1MB}",
        "session_option: {maximum_received_data_size_per_command: 500MB}",
    ),
    "pool-stop-timeout": CodePage(
        "The script did not stop when it was told to",
        "PowerShell cannot interrupt a .NET call that does not look for it. After `cancel_timeout` the session is "
        f"given up instead; what it started may go on running on the host. {_LOST}",
        "session_option: {cancel_timeout: 1s}",
        "session_option: {cancel_timeout: 1m}",
    ),
    "pool-no-answer": CodePage(
        "The host's PowerShell did not answer for the session",
        "The session was asked to be reset, or to take the key for secure strings, or after an interruption whether the "
        f"script has ended, and nothing came back in time. {_LOST}",
    ),
    "pool-end-missed": CodePage(
        "The script ended, and the answer that told so was lost on its way",
        "The connection was interrupted in the middle of an answer. Windows keeps such an answer until it has been "
        "taken; this server did not, and it says that nothing runs any more. How the script ended cannot be known. "
        f"{_LOST}",
    ),
    "pool-key-refused": CodePage(
        "Secure strings cannot travel over this session",
        "They travel under a key that the host's PowerShell gives on request. It gave none, or none that can be "
        "read; the step was not started where it would have sent one.",
        "using: {secret: !secret vault.token}",
        "using: {name: web}",
    ),
    "pool-message-broken": CodePage(
        "A message without which the script would never end cannot be read",
        "The end of a script, or a question that waits for its answer, came in a form nobody knows. Nothing else can "
        f"be known of the script. {_LOST}",
    ),
    "pool-message-unreadable": CodePage(
        "Part of what the script gave back cannot be read",
        "The script ran to its end and the session is well, but an object or an error of it came in a form that cannot "
        "be read, so the result would be wrong without it.",
        "script: Get-OddObject",
        "script: Get-OddObject | ConvertTo-Json -Depth 4",
    ),
}
