"""Values that PowerShell has and Python has not, as a run keeps them: objects, enum values, logins, times to 100 ns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from runner.values import Secret


class PSObject(dict[str, Any]):
    """An object's properties in the order they came; beside them its type and its text.

    A mapping, so that Jinja, JSON and tables read it as one. Names keep their case; ``in`` and ``[]`` are exact.

    Attributes:
        type_names: the chain of types, nearest first, as the peer sent it (``Deserialized.`` included).
        text: what ``ToString()`` gave, None where it was not sent.

    """

    __slots__ = ("text", "type_names")

    def __init__(
        self,
        properties: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        *,
        type_names: tuple[str, ...] = (),
        text: str | None = None,
    ) -> None:
        super().__init__(properties)
        self.type_names = type_names
        self.text = text


class EnumValue(str):
    """The value of an enumeration: its name as text, and its ``number``."""

    __slots__ = ("number",)

    number: int

    def __new__(cls, name: str, number: int) -> Self:
        """The value called ``name``; a combination of flags has no name of its own and comes as .NET writes it."""
        value = super().__new__(cls, name)
        value.number = number
        return value


@dataclass(frozen=True, slots=True)
class PSCredential:
    """A user name with its password; travels as PSCredential, its password as SecureString."""

    username: str
    password: Secret


class PreciseDatetime(datetime):
    """A datetime with the seventh digit of its second: .NET counts in 100 ns, Python in microseconds.

    ``tick`` is 0 to 9. It stands in ``isoformat()`` and ``str()`` and travels back to PowerShell; to comparisons it
    does not count, and whatever computes a new time loses it.
    """

    __slots__ = ("tick",)

    tick: int

    def __new__(cls, *arguments: Any, tick: int = 0, **named: Any) -> Self:
        """Takes what a datetime takes, and the tick."""
        value = super().__new__(cls, *arguments, **named)
        value.tick = tick
        return value

    @classmethod
    def of(cls, moment: datetime, tick: int) -> Self:
        """``moment`` and ``tick`` * 100 ns."""
        clock = (moment.hour, moment.minute, moment.second, moment.microsecond, moment.tzinfo)
        return cls(moment.year, moment.month, moment.day, *clock, fold=moment.fold, tick=tick)

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """As datetimes have it, with seven digits where there is a tick and no other ``timespec`` is asked for."""
        if not self.tick or timespec != "auto":
            return super().isoformat(sep, timespec)
        whole = super().isoformat(sep, "microseconds")
        end = len("0000-00-00T00:00:00.000000")
        return f"{whole[:end]}{self.tick}{whole[end:]}"

    def __repr__(self) -> str:
        """As a call that makes it."""
        return f"{super().__repr__()[:-1]}, tick={self.tick})"

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Keep the tick in copies."""
        plain = datetime.combine(self.date(), self.timetz())
        return type(self).of, (plain, self.tick)


class PreciseTimedelta(timedelta):
    """A timedelta that counts in 100 ns, as .NET does: ``tick`` of them, 0 to 9, come on top.

    To comparisons the tick does not count, and whatever computes a new duration loses it.
    """

    __slots__ = ("tick",)

    tick: int

    def __new__(cls, *arguments: Any, tick: int = 0, **named: Any) -> Self:
        """Takes what a timedelta takes, and the tick."""
        value = super().__new__(cls, *arguments, **named)
        value.tick = tick
        return value

    def __repr__(self) -> str:
        """As a call that makes it."""
        return f"{super().__repr__()[:-1]}, tick={self.tick})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Keep the tick in copies."""
        return _precise_timedelta, (self.days, self.seconds, self.microseconds, self.tick)


def _precise_timedelta(days: int, seconds: int, microseconds: int, tick: int) -> PreciseTimedelta:
    return PreciseTimedelta(days, seconds, microseconds, tick=tick)


def ticks_of(duration: timedelta) -> int:
    """The duration in units of 100 ns."""
    whole = (duration.days * 86_400 + duration.seconds) * 10_000_000 + duration.microseconds * 10
    return whole + (duration.tick if isinstance(duration, PreciseTimedelta) else 0)


def iso_duration(duration: timedelta) -> str:
    """ISO 8601 with days as the largest unit, as their length does not vary (XML's and .NET's form too).

    >>> iso_duration(timedelta(days=1, hours=2, seconds=3.5))
    'P1DT2H3.5S'
    """
    total = ticks_of(duration)
    sign = "-" if total < 0 else ""
    days, rest = divmod(abs(total), 864_000_000_000)
    hours, rest = divmod(rest, 36_000_000_000)
    minutes, rest = divmod(rest, 600_000_000)
    seconds, ticks = divmod(rest, 10_000_000)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or ticks:
        fraction = f".{ticks:07d}".rstrip("0") if ticks else ""
        clock += f"{seconds}{fraction}S"
    date = f"{days}D" if days else ""
    return f"{sign}P{date}T{clock}" if clock else f"{sign}P{date or 'T0S'}"
