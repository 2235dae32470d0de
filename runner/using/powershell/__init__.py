"""The scanner of PowerShell: a reader of the language that keeps the using expressions and forgets the rest."""

from __future__ import annotations

from runner.using.powershell.script import scan

__all__ = ["scan"]
