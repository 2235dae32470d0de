"""Codes of the area ``wsman``: WSMan operations, their faults and quotas."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
