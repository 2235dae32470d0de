"""What the script of a test or a condition says: it is so, it is not, or it cannot tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.execute.done import Done
from runner.using.model import Shell

_WORDS = {"True": True, "False": False}
"""What python prints of its own values."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ok``: it is so. ``before`` and ``after`` are the two states where the script tells them (``told``).

    ``problem``: it said neither yes nor no; a sentence's end in words of ours.
    """

    ok: bool = False
    told: bool = False
    before: Any = None
    after: Any = None
    problem: str | None = None


def verdict_of(done: Done, shell: Shell) -> Verdict:
    """The verdict of a test that has run.

    sh and bash say it by their exit code: 0 is yes, 1 is no. powershell and python say it by the last value they give:
    a boolean, or a mapping with a boolean ``ok`` and with ``before`` and ``after`` (language.md, "Bodies with fields").
    """
    if shell in {Shell.SH, Shell.BASH}:
        return _by_exit_code(done)
    if done.failure is not None:
        return Verdict(problem=done.failure.message)
    value = _last(done, shell)
    if isinstance(value, bool):
        return Verdict(ok=value)
    if isinstance(value, Mapping):
        named = {str(key).lower(): item for key, item in value.items()}
        if isinstance(named.get("ok"), bool):
            told = "before" in named or "after" in named
            return Verdict(named["ok"], told, named.get("before"), named.get("after"))
    seen = "gave nothing" if value is None else f"gave {_shown(value)}"
    return Verdict(problem=f"the last thing it gave must be true or false, or a mapping with `ok`; it {seen}")


def holds(done: Done, shell: Shell) -> tuple[bool, str]:
    """Whether the script of a condition succeeded, and what it said instead.

    On powershell a last value of false is no success either: ``Test-Path`` and its kin do not fail.
    """
    if done.failure is not None:
        last = [line for line in done.stderr if line.strip()][-1:] or [
            error.message for error in done.errors[-1:]
        ]
        return False, done.failure.message + "".join(f": {line.strip()}" for line in last)
    if shell is Shell.POWERSHELL and _last(done, shell) is False:
        return False, "the last value of the script is false"
    return True, ""


def _by_exit_code(done: Done) -> Verdict:
    if done.exit_code in (0, 1) and done.signal is None:
        return Verdict(ok=done.exit_code == 0)
    said = (
        f"it was ended by signal {done.signal}"
        if done.signal
        else f"it ended with exit code {done.exit_code}"
    )
    return Verdict(problem=f"0 says that it is so and 1 that it is not, and {said}")


def _last(done: Done, shell: Shell) -> Any:
    """The last value of the output; of python the last line that is not blank, read as JSON."""
    values = done.output if isinstance(done.output, list) else [done.output]
    if shell is Shell.POWERSHELL:
        return values[-1] if values else None
    lines = [line for line in values if isinstance(line, str) and line.strip()]
    if not lines or done.truncated:
        return None
    line = lines[-1].strip()
    if line in _WORDS:
        return _WORDS[line]
    try:
        return json.loads(line)
    except ValueError:
        return line


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"`{text[:60]}{'…' if len(text) > 60 else ''}`"
