"""Codes of the area ``powershell``: running PowerShell steps."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
