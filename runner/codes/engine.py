"""Codes of the area ``engine``: what a run itself says, from reading its secrets to its end."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "cancelled": CodePage(
        summary="The run was stopped before or while this step ran on this host",
        explanation=(
            "Ctrl-C, a termination signal or the run's `--timeout` stopped the run. What was running was ended on its "
            "host; what had not started was not started. The message says which of the two it is, and a step that "
            "may have run wholly or in part is marked so."
        ),
    ),
    "internal": CodePage(
        summary="The runner itself failed",
        explanation=(
            "This is a bug of the runner and not of the playbook. The run was stopped in order, the process ends with "
            "exit code 70 and names a report file; please send it."
        ),
    ),
    "secret-source": CodePage(
        summary="The source of a secret is of an unknown kind, or what it gives cannot be a secret",
        explanation="Secrets are text without NUL bytes. Everything a plan needs is read before the first connection.",
    ),
    "secret-env": CodePage(
        summary="A secret comes from an environment variable that is not set or is empty",
        explanation="Nothing was run: all secrets a plan needs are read before the first connection.",
        wrong="credentials:\n  ops: {username: ops, password: {env: OPS_PASSWORD}}   # OPS_PASSWORD is not set\n",
        right="read -rs OPS_PASSWORD && export OPS_PASSWORD\n",
    ),
    "secret-file": CodePage(
        summary="A secret comes from a file that cannot be read, is empty or is no text",
        explanation=(
            "A path is relative to the file it is written in, `~` is your home directory. The file's last line end is "
            "no part of the secret; at most 1 MiB is taken."
        ),
        wrong="password: {file: secrets/ops}   # there is no such file beside the playbook\n",
        right="password: {file: ~/.config/fleet/ops}\n",
    ),
    "secret-command": CodePage(
        summary="A secret comes from a program that cannot be started, fails or prints nothing",
        explanation=(
            "The program is run without a shell, with the terminal as its standard input and error, and may take a "
            "minute. Its output without the last line end is the secret."
        ),
        wrong="password: {command: 'pass show ops | head -1'}\n",
        right="password: {command: [sh, -c, 'pass show ops | head -1']}\n",
    ),
    "secret-prompt": CodePage(
        summary="A secret is asked for at a terminal, and there is none or nothing was typed",
        explanation="In a pipeline nobody can answer, so the run is refused before anything connects.",
        wrong="password: {prompt: Password of ops}   # in a pipeline\n",
        right="password: {env: OPS_PASSWORD}\n",
    ),
}
