"""Every problem and error code, with the page that explains it.

Each area has a module with a table ``CODES``; ``runner explain CODE`` and docs/reference/errors/ print from here, and
a test holds that every code the source uses is in a table and every code in a table is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from runner.codes.page import CodePage

__all__ = ["AREAS", "CodePage", "code_pages"]

AREAS = (
    "document",
    "playbook",
    "inventory",
    "variables",
    "using",
    "plan",
    "shell",
    "transport",
    "psrp",
    "carrier",
    "objects",
    "wire",
    "wsman",
    "powershell",
    "engine",
    "journal",
    "control",
    "locks",
    "present",
    "lab",
    "runs",
    "planfile",
    "cli",
)


@cache
def code_pages() -> Mapping[str, CodePage]:
    """All codes of all areas, by code."""
    pages: dict[str, CodePage] = {}
    for area in AREAS:
        pages.update(import_module(f"runner.codes.{area}").CODES)
    return MappingProxyType(pages)
