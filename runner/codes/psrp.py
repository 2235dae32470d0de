"""Codes of the area ``psrp``: runspace pools and pipelines."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
