"""PowerShell's numbers: how they are written, and what they are worth."""

from __future__ import annotations

import re

NUMBER = re.compile(
    r"(?:0[xX](?P<hex>[0-9A-Fa-f]*)|0[bB](?P<bits>[01]*)"
    r"|(?P<decimal>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][-+\u2013\u2014\u2015]?\d+)?))"
    r"(?P<suffix>[uU][lsyLSY]?|[sldynSLDYN])?(?:(?P<multiplier>[kmgtpKMGTP])[bB])?",
    re.ASCII,
)


def number_value(match: re.Match[str]) -> int | float | None:
    """The number as Python has it; None for one of a .NET type that Python would spell otherwise."""
    if match["suffix"] or match["hex"] == "" or match["bits"] == "":
        return None
    factor = 1024 ** ("kmgtp".index(match["multiplier"].lower()) + 1) if match["multiplier"] else 1
    if match["hex"]:
        return int(match["hex"], 16) * factor if len(match["hex"]) < 8 else None
    if match["bits"]:
        return int(match["bits"], 2) * factor if len(match["bits"]) < 32 else None
    written = re.sub("[\u2013\u2014\u2015]", "-", match["decimal"])
    return int(written) * factor if written.isdecimal() and len(written) < 19 else float(written) * factor
