"""Codes of the area ``engine``: what a run itself, not a host, says of an assignment."""

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
}
