"""Codes of the area ``objects``: values on their way to PowerShell and back."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "value-not-sendable": CodePage(
        "A value has no form in PowerShell",
        "What travels to PowerShell is null, booleans, numbers, text, bytes, datetimes and dates, durations, Guids, "
        "lists, mappings, objects that came from PowerShell, secure strings and credentials. The message says where in "
        "the value the trouble is (`$` is the value, `$.hosts[3].name` a part of it): it is of another type, holds "
        "itself, is nested deeper than 40 levels, is out of the range of .NET's type, or holds characters that XML "
        "cannot carry. The step fails on this host before anything is sent.",
        wrong="using: {names: \"{{ users | map(attribute='name') }}\"}   # a generator",
        right="using: {names: \"{{ users | map(attribute='name') | list }}\"}",
    ),
}
