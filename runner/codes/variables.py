"""Codes of variables, inputs and templates."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "evaluation-failed": CodePage(
        "an expression or template has no value on a host",
        "The text could be read, but computing it failed: a member that is not there, a wrong type, or an operation"
        " the sandbox refuses. Undefined names never pass silently; guard them with `default(...)` or `is defined`.",
        "when: disk.free > 10",
        "when: disk is defined and disk.free > 10",
    ),
    "input-missing": CodePage(
        "an input without a default was not given",
        "Inputs are the typed parameters of a playbook. One without `default` must be given with `-e`.",
        "runner run deploy.yml",
        "runner run deploy.yml -e version=2.1",
    ),
    "input-value": CodePage(
        "the value of an input does not fit its declaration",
        "Inputs are checked before anything connects: their `type`, `enum`, `pattern`, `minimum`, `maximum` and `items`.",
        "runner run report.yml -e newest=many",
        "runner run report.yml -e newest=10",
    ),
    "template-syntax": CodePage(
        "an expression or template cannot be read",
        "Values may hold Jinja between `{{` and `}}`; `when` and its kin are expressions without braces. The place"
        " points to where reading stopped; the cause is there or just before it.",
        'when: "status == "',
        "when: status == 'ok'",
    ),
    "unknown-filter": CodePage(
        "a template uses a filter that does not exist",
        "Filters are Jinja's own and those of the language reference (`to_datetime`, `duration`, `size`, `to_json` ...)."
        " Ansible's other filters are not here.",
        'total: "{{ sizes | sun }}"',
        'total: "{{ sizes | sum }}"',
    ),
    "unknown-input": CodePage(
        "a value is given with `-e` that the playbook does not declare",
        "Where a playbook declares `inputs`, a name it does not know is taken for a typing mistake.",
        "runner run report.yml -e newst=10",
        "runner run report.yml -e newest=10",
    ),
    "unknown-test": CodePage(
        "a template uses a test that does not exist",
        "Tests stand after `is`: Jinja's own, and `changed`, `failed`, `skipped`, `succeeded`, `unreachable` for results.",
        "when: fetched is sucess",
        "when: fetched is succeeded",
    ),
    "unknown-variable": CodePage(
        "a name is read that is defined nowhere for that host",
        "Every name is known before anything connects: from inputs, `vars`, the inventory, the step's own `vars` and"
        " `using`, or the result an earlier step registers. `runner explain NAME --host HOST` shows where a name comes"
        " from.",
        'working_directory: "{{ app_dri }}"',
        'working_directory: "{{ app_dir }}"',
    ),
    "variable-cycle": CodePage(
        "variables are defined in terms of each other",
        "A variable is computed when it is asked for; following these definitions comes back to where it began.",
        'vars: {a: "{{ b }}", b: "{{ a }}"}',
        'vars: {a: "{{ b }}", b: 1}',
    ),
}
