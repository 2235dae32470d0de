"""``$Using:`` in a script block that is meant for a further hop: PowerShell resolves it on every hop before it too."""

from __future__ import annotations

import re

from runner.using.model import UsingReference

_HOP = re.compile(r"\b(?:invoke-command|icm|start-job|sajb|start-threadjob|foreach-object)\b", re.IGNORECASE)


def inner_hop_hints(text: str, reference: UsingReference) -> tuple[str, ...]:
    """The ways out where a reference stands in the script block of a command that runs it elsewhere, else none.

    remoting.md 1.1: the whole tree is searched, so a name that only the inner caller has is missing on the controller.
    Braces in texts and comments are counted like any others: this decides on a hint alone.
    """
    before = text[: reference.start]
    if before.count("{") <= before.count("}") or _HOP.search(before) is None:
        return ()
    name = reference.name
    dummy = (
        f"inner blocks are resolved here too: where `${name}` is a variable of the remote script, say"
        f" `using: {{{name}: null}}`; the inner command still takes the remote value"
    )
    return dummy, "or make the inner block of a text there: `[scriptblock]::Create('...')`"
