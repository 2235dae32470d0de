"""Codes of the area ``powershell``: running PowerShell steps."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "powershell-failed": CodePage(
        summary="The PowerShell script ended with a terminating error",
        explanation=(
            "A `throw`, a parse error, a command with `-ErrorAction Stop` or `error_action: stop` ended the pipeline "
            "on this host. The message is PowerShell's own; `errors` of the result has the whole record, and the "
            "place in brackets is the line of the file you wrote. Errors that do not end the script are in `errors` "
            "too and do not fail the step. `failed_when` replaces this rule."
        ),
        wrong="- script: Get-Item /nope   # an error record, and the step is still ok\n",
        right="- script: Get-Item /nope\n  error_action: stop\n",
    ),
    "powershell-stopped": CodePage(
        summary="The pipeline was stopped on the host, and not by this run",
        explanation=(
            "Somebody stopped it there, or the host is shutting the session down. What it had done until then is done."
        ),
    ),
    "powershell-refused": CodePage(
        summary="The host's PowerShell did not do what the run needed for this step",
        explanation=(
            "Before or after the script the run asks the session for small things: whether a working directory is "
            "there, what a setting was. A constrained endpoint may not allow them. The message is PowerShell's own."
        ),
    ),
    "powershell-not-carried": CodePage(
        summary="Nothing can carry PowerShell remoting over this transport",
        explanation="PowerShell runs over WinRM, over SSH and in a process of the controller.",
    ),
    "no-processes": CodePage(
        summary="The step needs a process on the host, and the transport carries PowerShell alone",
        explanation="Over WinRM only PowerShell can be spoken to; sh, bash and python run over SSH and locally.",
        wrong="targets: {win: {hosts: win01, transport: winrm, shell: sh}}\n",
        right="targets: {win: {hosts: win01, transport: winrm, shell: powershell}}\n",
    ),
    "using-needs-powershell-5": CodePage(
        summary="The host's PowerShell is too old for `$Using:` values",
        explanation=(
            "Values travel as a dictionary, which Windows PowerShell 5 and PowerShell 6 and later know. Before 5 they "
            "were found by their position or by rewriting the script, which is not done. Nothing was run."
        ),
        wrong="- script: Get-WinEvent -LogName $Using:log   # on Windows PowerShell 4\n",
        right="- script: 'param($log) Get-WinEvent -LogName $log'\n  args: ['{{ log }}']\n",
    ),
    "session-settings": CodePage(
        summary="What a step sets of a kept session cannot be looked up, or not be put back",
        explanation=(
            "`strict_mode`, `error_action`, `environment` and `working_directory` of a step in a `session` are undone "
            "after it. Where that does not work, the state of the session is in doubt: it is not used again, and "
            "`on_loss` says what the next step does."
        ),
    ),
    "strict-mode": CodePage(
        summary="`strict_mode` is no version",
        explanation="The template gives something else than a version like `3.0`, `latest` or `off` on this host.",
        wrong="strict_mode: \"{{ 'yes' }}\"\n",
        right="strict_mode: latest\n",
    ),
}
