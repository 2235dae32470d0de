"""One value as the bytes that a variable of sh or bash holds (language.md, "$Using:")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from runner.shell.refuse import encoded, kind, refusal
from runner.values import Secret


def scalar_bytes(value: object, what: str, *, holder: str = "sh") -> bytes:
    """The bytes of a scalar: text, ``true``/``false``, empty for null, ISO 8601 UTC, seconds.

    Bytes go as they are, whatever their encoding: a shell's variable holds any byte but NUL. A datetime without a
    zone is taken for UTC. ``what`` names the value in errors, which never show it; ``holder`` is
    the shell that is to hold it.

    Raises:
        ExecutionFailed: a list, a mapping or another type (``value-type``), a NUL (``value-has-nul``) or half of a
            surrogate pair (``value-not-unicode``).

    """
    data = value if isinstance(value, bytes) else encoded(_scalar_text(value, what, holder), what)
    if b"\0" in data:
        raise refusal(
            "value-has-nul",
            f"{what} holds a NUL character at position {data.index(0) + 1}, which no variable of {holder} can hold",
            "encode it (`{{ value | b64encode }}`) and decode it in the script, or use `shell: python`",
        )
    return data


def _scalar_text(value: object, what: str, holder: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _seconds(value)
    hints = (
        ("use `shell: python`, or `shell: bash` for a list or mapping of scalars",) if holder == "sh" else ()
    )
    if isinstance(value, list | tuple | Mapping):
        hints = (*hints, "`{{ value | to_json }}` makes a text of it")
    raise refusal("value-type", f"{what} is {kind(value)}, which {holder} cannot hold here", *hints)


def _seconds(value: timedelta) -> str:
    """The shortest decimal of a duration in seconds, exact to the microsecond.

    >>> _seconds(timedelta(hours=2)), _seconds(timedelta(milliseconds=-500))
    ('7200', '-0.5')
    """
    microseconds = value // timedelta(microseconds=1)
    whole, part = divmod(abs(microseconds), 1_000_000)
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{whole}" + (f".{part:06d}".rstrip("0") if part else "")
