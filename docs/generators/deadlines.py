"""The page of deadlines: each key with what is nearer, its default, and what happens when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from docs.generators.markdown import block, page, table
from docs.generators.schemas import fields_of, resolve, schema, yaml_example
from runner.execute.connections import CLOSE_TIMEOUT
from runner.transport.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a table cannot read out of the schema."""

    nearer: str
    default: str
    over: str


_CONNECT = f"{Endpoint(host='', transport='ssh').connect_timeout:g}s"
_LIMITS = {
    "connect": _Limit(
        "`connect_timeout` of the host, group, target or step; `session_option.open_timeout` where it is shorter",
        _CONNECT,
        "The host is `unreachable` ([`connect-timeout`](errors/connect-timeout.md)), and nothing was sent. "
        "`retry` and `unreachable: {retry_after}` try again.",
    ),
    "open": _Limit(
        "`session_option.open_timeout`",
        "that of `connect` over SSH, 3m for PowerShell",
        "The host is `unreachable`: it was reached, and its interpreter did not start. Nothing of the step ran.",
    ),
    "step": _Limit(
        "`timeout` of the step, its block or `defaults`",
        "none",
        "What runs on the host is ended, with its children; the result is `timed_out`. Ending it may take "
        "`session_option.cancel_timeout` more, then some seconds for an answer of the host. It counts one attempt of "
        "one item, from sending the body on: connecting, and waiting for a slot, are not in it.",
    ),
    "run": _Limit(
        "`--timeout`",
        "none",
        "The run is stopped as by Ctrl-C: what runs is ended, nothing new starts, and `always` of blocks has 5m. "
        "`resume` goes on.",
    ),
    "gate": _Limit(
        "`gate.timeout`",
        "none",
        "The gate's `default` counts: `stop` ends the run with exit code 4, `go` goes on.",
    ),
    "close": _Limit(
        "nothing",
        f"{CLOSE_TIMEOUT:g}s for a connection, 2s for a session",
        "What does not close is left, and told by name; the result of the step stays as it is.",
    ),
}

_INTRODUCTION = """\
# Deadlines

In one place of the playbook, for all that has no limit nearer to it:"""

_MORE = """\
The live view shows a deadline running down in the phase that it bounds. Deadlines that belong to one body have their
key there: `wait_for.timeout` (5m), `reboot.timeout` (10m), `http.timeout` (30s). Where no limit is named, nothing is
cut off: who is waited for is told after 10 s and from then on, and `quarantine` lets the others go on."""


def pages() -> dict[str, str]:
    """``deadlines.md``."""
    part, home = resolve(schema("playbook")["properties"]["deadlines"], "playbook")
    fields = fields_of(part, home)
    if set(fields) != set(_LIMITS):
        raise ValueError(f"deadlines without words: {sorted(set(fields) ^ set(_LIMITS))}")
    rows = [
        (
            f"`{key}`",
            str(field.get("description", "")),
            _LIMITS[key].nearer,
            _LIMITS[key].default,
            _LIMITS[key].over,
        )
        for key, (field, _) in fields.items()
    ]
    head = ("key", "what it bounds", "nearer, and so before it", "default", "when it is over")
    example = block(yaml_example("deadlines", part["examples"][0]), "yaml")
    return {"deadlines.md": page([_INTRODUCTION, example, table(head, rows), _MORE])}
