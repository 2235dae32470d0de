"""The page of filters, tests and names that templates know."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

from docs.generators.markdown import page, table
from runner.playbook.check import RESERVED
from runner.variables.environment import LanguageEnvironment
from runner.variables.filters import FILTERS, TESTS

_INTRODUCTION = """\
# Templates and expressions

`{{ }}` in text and the expressions of `when`, `until`, `failed_when`, `changed_when`, `loop` and `assert` are Jinja, in
a sandbox, with undefined names refused. A lone `{{ }}` keeps its type; anything mixed is text; nothing is parsed again.
Script text is no template: values reach scripts by [`$Using:`](../how-to/using.md), unless the step says
`template: true`.

Numbers, durations and switches of control keys may be templates too (`timeout`, `retry: {delay: ...}`,
`wait_for: {timeout: ...}`, `max_fail`, `throttle`, `deadlines` ...). They are computed when the plan is made, from
inputs, playbook `vars` and the step's `vars`. Limits of single hosts, as `timeout`, `retry` and `unreachable`, may
come of a variable of the inventory and be another one on each host; limits of all hosts together, as `throttle` and
`max_fail`, may not. Keys that decide who runs and when (`target`, `hosts`, `needs`, `waves`, `id`), names and words of
an enumeration are never templates."""

_FUNCTIONS = """\
`now()` is the run's one instant, a datetime in UTC: the same in every template of a run. `range` and `dict` are as
Jinja has them."""

_RESERVED = """\
No variable, input or registered result can have one of these names. `inventory_hostname` and `group_names` are known
as Ansible has them, and `result` is the step's own in `failed_when`, `changed_when` and `until`."""

_TEST_WORDS = {
    "changed": "The step changed the host.",
    "failed": "The step failed, timed out, was cancelled, or its host was unreachable.",
    "skipped": "The step was skipped on the host.",
    "succeeded": "The step ended well on the host.",
    "unreachable": "The host could not be reached.",
}

_NAMES = {
    "results": "`results.N`: host -> result, of the step that registers `N`",
    "inputs": "`inputs.x`: the inputs of the playbook",
    "host": "`host.name` and `host.groups`",
    "hosts": "names of all hosts of the inventory",
    "groups": "group -> names of its hosts",
    "facts": "kept for collected facts (not available yet)",
    "item": "the item of a `loop`",
    "loop": "`loop.index` (from 1), `index0`, `first`, `last`, `length`",
    "run": "`run.id`, `run.started_at`, `run.playbook`",
    "failure": "`failure.step`, `failure.hosts` and `failure.errors`, in the `rescue` and `always` of a block",
    "secrets": "kept for `secrets` (not available yet)",
    "credentials": "credentials, for `$Using:credentials.NAME` only",
}


def pages() -> dict[str, str]:
    """``templates.md``."""
    environment = LanguageEnvironment(datetime.now(UTC))
    own = set(FILTERS) | set(TESTS)
    filters = [
        (
            f"`{name}{_arguments(function)}`",
            (inspect.getdoc(function) or "").split("\n\n")[0].replace("``", "`"),
        )
        for name, function in FILTERS.items()
    ]
    jinja = ", ".join(f"`{name}`" for name in sorted(set(environment.filters) - own))
    tests = ", ".join(f"`{name}`" for name in sorted(set(environment.tests) - own) if name.isidentifier())
    parts = [
        _INTRODUCTION,
        "## Filters of runner",
        table(
            ("filter", "what it gives"),
            ((name, words.split("\n\n")[0].replace("``", "`")) for name, words in filters),
        ),
        "## Tests of runner",
        "`config is changed`, where `config` is the name a step registers.",
        table(("test", "holds where"), ((f"`{name}`", _TEST_WORDS[name]) for name in TESTS)),
        "## Filters and tests of Jinja",
        f"Filters: {jinja}.",
        f"Tests: {tests}.",
        "## Functions",
        _FUNCTIONS,
        "## Reserved names",
        _RESERVED,
        table(("name", "what it is"), ((f"`{name}`", _NAMES[name]) for name in sorted(RESERVED))),
    ]
    return {"templates.md": page(parts)}


def _arguments(function: object) -> str:
    """The arguments after the value, as an author types them."""
    parameters = list(inspect.signature(function).parameters.values())[1:]  # type: ignore[arg-type]
    words = [
        f"*{one.name}"
        if one.kind is one.VAR_POSITIONAL
        else one.name
        if one.default is one.empty
        else f"{one.name}={one.default!r}"
        for one in parameters
    ]
    return f"({', '.join(words)})" if words else ""
