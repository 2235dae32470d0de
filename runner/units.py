"""Durations and sizes with units, as the playbook language writes them (language.md, "Time")."""

from __future__ import annotations

import re
from datetime import timedelta

_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION_PART = re.compile(_NUMBER + r"(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(_NUMBER + r"\s*([kmgt]i?b|b|[kmgt])?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_LONGEST = timedelta(days=36500)


def parse_duration(value: object) -> timedelta:
    """Read ``500ms``, ``30s``, ``3m``, ``1h30m``, ``1d`` or a bare number of seconds.

    Raises:
        ValueError: it is none of these, is negative or is longer than a hundred years.

    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool):
        raise ValueError("expected a duration like `30s`, `3m` or `1h30m`")  # noqa: TRY004 - one error for callers
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        text = str(value).strip().lower().replace(" ", "")
        if re.fullmatch(_NUMBER, text):
            seconds = float(text)
        elif re.fullmatch(f"(?:{_DURATION_PART.pattern})+", text):
            seconds = sum(float(n) * _SECONDS[u] for n, u in _DURATION_PART.findall(text))
        else:
            raise ValueError("expected a duration like `30s`, `3m` or `1h30m`")
    if not 0 <= seconds <= _LONGEST.total_seconds():
        raise ValueError("expected a duration between 0 and 100 years")
    return timedelta(seconds=seconds)


def parse_size(value: object) -> int:
    """Read ``512``, ``10MiB``, ``10MB``, ``1g`` as bytes; ``k m g t`` alone are powers of 1024.

    Raises:
        ValueError: it is none of these or is negative.

    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(str(value).strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a size in bytes like `512`, `64KiB` or `10MiB`")
    number, unit = match[1], (match[2] or "b").lower()
    base = 1000 if len(unit) == 2 and unit != "b" else 1024
    return int(float(number) * base ** _POWERS.get(unit[0], 0))


def format_duration(value: timedelta | float) -> str:
    """Show a duration as a person reads it: ``340ms``, ``4.2s``, ``3m 05s``, ``2h 10m``."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m {int(seconds % 60):02d}s"
    return f"{int(seconds // 3600)}h {int(seconds % 3600 // 60):02d}m"


def format_size(size: int) -> str:
    """Show bytes in the largest unit that says them exactly; :func:`parse_size` reads it again.

    >>> format_size(200 * 1024 * 1024), format_size(1_500_000_000), format_size(1000), format_size(1)
    ('200MiB', '1500MB', '1KB', '1B')
    """
    for power, letter in ((4, "T"), (3, "G"), (2, "M"), (1, "K")):
        for base, unit in ((1024, "iB"), (1000, "B")):
            if size and size % base**power == 0:
                return f"{size // base**power}{letter}{unit}"
    return f"{size}B"
