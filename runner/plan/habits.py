"""Names of Ansible that templates do not know here, and members of results that it calls otherwise."""

from __future__ import annotations

from collections.abc import Mapping

RESULT_MEMBERS = frozenset(
    {
        *("status", "changed", "output", "stderr", "errors", "warnings", "verbose", "debug", "information"),
        *("progress", "exit_code", "results"),
    }
)
"""What a result has (language.md, "Results")."""

METHODS = frozenset({"get", "items", "keys", "values"})
"""What any mapping has in a template."""

MEMBERS: Mapping[str, str] = {
    "cmd": "a result does not have the command; the plan shows what a step sends",
    "failed": "write `NAME is failed`",
    "msg": "write `NAME.errors`, or `NAME.output` for what the step printed",
    "rc": "write `NAME.exit_code`",
    "skipped": "write `NAME is skipped`",
    "stderr_lines": "write `NAME.stderr`",
    "stdout": "write `NAME.output | join('\\n')`; with `output: text` it is one text",
    "stdout_lines": "write `NAME.output`, a list of lines",
    "unreachable": "write `NAME is unreachable`",
}
"""Members of a result in Ansible, with what to write."""

NAMES: Mapping[str, str] = {
    "ansible_check_mode": "steps with `read_only: true` run under --check too, others do not",
    "ansible_date_time": "write `now()`, the run's one instant",
    "ansible_host": "connection settings are no variables; `inventory_hostname` is the host's name",
    "ansible_play_batch": "write `hosts` for all hosts of the inventory, `groups.NAME` for those of a group",
    "ansible_play_hosts": "write `hosts` for all hosts of the inventory, `groups.NAME` for those of a group",
    "hostvars": "write `results.NAME[HOST]` for what a step registers on another host",
    "inventory_hostname_short": "write `inventory_hostname.split('.')[0]`",
    "lookup": "give values with `inputs` and `-e`, files with `vars_files`, secrets with `credentials`",
    "omit": "write the key in a step of its own, with `when`",
    "play_hosts": "write `hosts` for all hosts of the inventory, `groups.NAME` for those of a group",
    "playbook_dir": "relative paths begin at the folder of the playbook",
    "query": "give values with `inputs` and `-e`, files with `vars_files`, secrets with `credentials`",
}
"""Variables and functions of Ansible, with what to write."""

_FACT = "facts are not collected by themselves: register what a step finds out, and read `NAME.output`"


def name_hint(name: str) -> str | None:
    """What to write in the place of a variable of Ansible; None where it is none."""
    return NAMES.get(name) or (_FACT if name.startswith("ansible_") else None)
