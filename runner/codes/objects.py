"""Codes of the area ``objects``: values on their way to PowerShell and back."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
