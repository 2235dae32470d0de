"""Codes of the area ``wire``: HTTP, TLS and logins of WinRM."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {}
