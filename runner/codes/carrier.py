"""Codes of the area ``carrier``: packets over a child process or an SSH subsystem."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
