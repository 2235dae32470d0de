"""Python values on their way to PowerShell: one closed table, psrpcore is handed nothing else (remoting.md 1.9).

========================================  =====================================================================
Python                                    arrives as
========================================  =====================================================================
None, bool, str, UUID                     null, Boolean, String, Guid
int                                       Int32, Int64, UInt64 or Decimal, the first that holds it
float, Decimal                            Double, Decimal (with its scale)
bytes, bytearray, memoryview              Byte[]
list, tuple, set, frozenset, range, views ArrayList (of a set in the order of its items' text)
dict                                      Hashtable
OrderedDict                               OrderedDictionary from PowerShell 7.3 on, Hashtable before
datetime, date                            DateTime: Utc where there is a zone, else Unspecified
timedelta, time                           TimeSpan
Enum                                      what its value arrives as
EnumValue, Path                           String (PowerShell makes of it the enum value a parameter wants)
PSObject                                  PSCustomObject with its properties, its type names and its text
Secret, PSCredential                      SecureString, PSCredential: these need the session key (9.4)
========================================  =====================================================================

A mapping is a Hashtable, ``@{}``, and not an OrderedDictionary though it has an order: it is the same type in every
PowerShell, has ``.ContainsKey()``, and takes ``$h[1]`` for the key 1 and not for the second entry. Keys that differ by
case only make the whole table sensitive to case, as PowerShell does it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isnan
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from psrpcore.types import PSCredential as WireCredential
from psrpcore.types import PSCustomObject, PSDict, PSDouble, PSInt64, PSNoteProperty, PSSecureString, PSUInt64

from runner.objects import EnumValue, PreciseDatetime, PSCredential, PSObject, iso_duration, ticks_of
from runner.psrp.written import WrittenDateTime, WrittenDecimal, WrittenDouble, WrittenDuration
from runner.values import Secret

DEEPEST: Final = 40
"""Containers in each other. PowerShell reads 50 levels of one message, and a pipeline's own take up to 9 of them."""

_LARGEST_DECIMAL = 2**96 - 1  # .NET's Decimal: 96 bits and a scale of at most 28
_MOST_SCALE = 28
_MOST_TICKS = 2**63 - 1
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_ORDERED = ("System.Collections.Specialized.OrderedDictionary", "System.Object")
_DESERIALIZED = re.compile(r"^(?:Deserialized\.)+")

_Converter: TypeAlias = "Callable[[Any, _Walk], Any]"


class NotSendable(ValueError):
    """A value has no form in PowerShell. ``path`` says where in it (``$.hosts[3].x``), ``reason`` why."""

    code = "value-not-sendable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def to_ps(value: Any) -> Any:
    """``value`` as psrpcore is to be given it.

    Raises:
        NotSendable: it, or something in it, is of no type of the table, holds itself, is nested deeper than
            :data:`DEEPEST`, or is out of the range of the type it would arrive as.

    """
    return _Walk().convert(value)


def holds_secret(value: Any) -> bool:
    """Whether a :class:`Secret` or a :class:`PSCredential` is in ``value``, so that the session key is needed."""
    pending, seen = [value], set[int]()
    while pending:
        found = pending.pop()
        if isinstance(found, Secret | PSCredential):
            return True
        if isinstance(found, Mapping | list | tuple | set | frozenset) and id(found) not in seen:
            seen.add(id(found))
            pending.extend(found.values() if isinstance(found, Mapping) else found)
    return False


class _Walk:
    """The way through one value: where it is, and the containers around it."""

    def __init__(self) -> None:
        self._steps: list[str] = []
        self._around: list[int] = []

    def convert(self, value: Any) -> Any:
        converter = _converter(type(value))
        if converter is None:
            raise self.refusal(_why_unknown(value))
        return converter(value, self)

    def refusal(self, reason: str) -> NotSendable:
        return NotSendable("$" + "".join(self._steps), reason)

    def enter(self, container: Any) -> None:
        if id(container) in self._around:
            raise self.refusal("it holds itself, and such a value has no end to send")
        if len(self._around) >= DEEPEST:
            raise self.refusal(
                f"it is nested deeper than {DEEPEST} levels, which PowerShell does not read; send it as JSON text"
            )
        self._around.append(id(container))

    def leave(self) -> None:
        self._around.pop()

    def inside(self, step: str, value: Any) -> Any:
        self._steps.append(step)
        converted = self.convert(value)
        self._steps.pop()
        return converted


def _converter(kind: type) -> _Converter | None:
    """The row of the table for a type: the nearest of its bases that has one."""
    return _TABLE.get(kind) or next((_TABLE[base] for base in kind.__mro__ if base in _TABLE), None)


def _why_unknown(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, Iterable):
        return f"a {kind} has no form in PowerShell; make it a list (`| list` in a template)"
    return f"a {kind} has no form in PowerShell"


def _same(value: Any, walk: _Walk) -> Any:
    return value


def _text(value: str, walk: _Walk) -> str:
    found = _NOT_XML.search(value)
    if found is None:
        return str.__str__(value)
    if found[0] >= "\ufffe":
        raise walk.refusal(f"it holds the character U+{ord(found[0]):04X}, which XML cannot carry")
    raise walk.refusal("it holds half of a surrogate pair, or a byte that was no UTF-8, and is no text")


def _integer(value: int, walk: _Walk) -> Any:
    number = int(value)
    if -(2**31) <= number < 2**63:
        return number  # psrpcore takes Int32 or Int64 for it
    if -(2**63) <= number < 0:
        return PSInt64(number)
    if 0 <= number < 2**64:
        return PSUInt64(number)
    if abs(number) <= _LARGEST_DECIMAL:
        return WrittenDecimal(str(number))
    raise walk.refusal("it is an integer beyond 96 bits, more than a .NET Decimal holds")


def _float(value: float, walk: _Walk) -> Any:
    return WrittenDouble("NaN") if isnan(value) else PSDouble(value)


def _decimal(value: Decimal, walk: _Walk) -> Any:
    if not value.is_finite():
        raise walk.refusal("a .NET Decimal has neither infinity nor NaN")
    if value and value.adjusted() > _MOST_SCALE:
        raise walk.refusal("it is larger than a .NET Decimal (about 7.9e28)")
    sign, digits, raw = value.as_tuple()
    exponent = max(int(raw), -_MOST_SCALE) if not value else int(raw)
    number = int("".join(map(str, digits)))
    if exponent > 0:
        number, exponent = number * 10 ** min(exponent, _MOST_SCALE), 0
    # Zeros at the end may go where they are too many; a digit may not.
    while exponent < 0 and number % 10 == 0 and (number > _LARGEST_DECIMAL or -exponent > _MOST_SCALE):
        number, exponent = number // 10, exponent + 1
    if number > _LARGEST_DECIMAL or -exponent > _MOST_SCALE:
        raise walk.refusal("it has more digits than a .NET Decimal holds (28 or 29)")
    return WrittenDecimal(format(Decimal((sign, tuple(map(int, str(number))), exponent)), "f"))


def _datetime(value: datetime, walk: _Walk) -> Any:
    tick = value.tick if isinstance(value, PreciseDatetime) else 0
    if value.utcoffset() is None:
        return WrittenDateTime(PreciseDatetime.of(value.replace(tzinfo=None), tick).isoformat())
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise walk.refusal("in UTC it lies outside of the years 1 to 9999") from None
    return WrittenDateTime(PreciseDatetime.of(moment.replace(tzinfo=None), tick).isoformat() + "Z")


def _date(value: date, walk: _Walk) -> Any:
    return WrittenDateTime(f"{value.isoformat()}T00:00:00")


def _duration(value: timedelta, walk: _Walk) -> Any:
    if abs(ticks_of(value)) > _MOST_TICKS:
        raise walk.refusal("it is longer than a .NET TimeSpan (10675199 days)")
    return WrittenDuration(iso_duration(value))


def _time(value: time, walk: _Walk) -> Any:
    if value.tzinfo is not None:
        raise walk.refusal("a time of day with a zone has no form in PowerShell; send a datetime")
    clock = timedelta(
        hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
    )
    return WrittenDuration(iso_duration(clock))


def _items(value: Iterable[Any], walk: _Walk) -> list[Any]:
    walk.enter(value)
    converted = [walk.inside(f"[{index}]", item) for index, item in enumerate(value)]
    walk.leave()
    return converted


def _set(value: Iterable[Any], walk: _Walk) -> list[Any]:
    return _items(sorted(value, key=repr), walk)


def _entries(value: Mapping[Any, Any], walk: _Walk) -> dict[Any, Any]:
    walk.enter(value)
    entries: dict[Any, Any] = {}
    for key, item in value.items():
        converted = _key(key, walk)
        if converted in entries:
            raise walk.refusal(f"two of its keys arrive as the same `{key}`")
        entries[converted] = walk.inside(_step(key), item)
    walk.leave()
    return entries


def _ordered(value: Mapping[Any, Any], walk: _Walk) -> PSDict:
    ordered = PSDict(_entries(value, walk))
    ordered.PSObject.type_names = list(_ORDERED)
    return ordered


def _key(key: Any, walk: _Walk) -> Any:
    if isinstance(key, _KEYS):
        return walk.convert(key)
    if key is None:
        raise walk.refusal("a key of it is null, which no dictionary of PowerShell takes")
    raise walk.refusal(f"a key of it is a {type(key).__name__}; keys are text, numbers, times and Guids")


def _step(key: Any) -> str:
    return f".{key}" if isinstance(key, str) and _PLAIN_NAME.match(key) else f"[{str(key)!r}]"


def _object(value: PSObject, walk: _Walk) -> PSCustomObject:
    walk.enter(value)
    wire = PSCustomObject()
    wire.PSObject.extended_properties = [
        PSNoteProperty(walk.inside(_step(name), str(name)), walk.inside(_step(name), item))
        for name, item in value.items()
    ]
    # The receiver marks them as deserialized by itself; a mark of our own would become a second one (section 12).
    if value.type_names:
        wire.PSObject.type_names = [_DESERIALIZED.sub("", name) for name in value.type_names]
    if value.text is not None:
        wire.PSObject.to_string = _text(value.text, walk)
    walk.leave()
    return wire


def _secret(value: Secret, walk: _Walk) -> PSSecureString:
    return PSSecureString(_text(value.reveal(), walk))


def _credential(value: PSCredential, walk: _Walk) -> WireCredential:
    return WireCredential(
        UserName=walk.inside(".username", value.username), Password=walk.inside(".password", value.password)
    )


_KEYS = (str, int, float, Decimal, UUID, datetime, date, time, timedelta, Enum, PurePath)

_TABLE: Mapping[type, _Converter] = MappingProxyType(
    {
        type(None): _same,
        bool: _same,
        int: _integer,
        float: _float,
        Decimal: _decimal,
        str: _text,
        EnumValue: _text,
        PurePath: lambda value, walk: _text(str(value), walk),
        bytes: lambda value, walk: bytes(value),
        bytearray: lambda value, walk: bytes(value),
        memoryview: lambda value, walk: bytes(value),
        UUID: lambda value, walk: UUID(int=value.int),
        datetime: _datetime,
        date: _date,
        time: _time,
        timedelta: _duration,
        Enum: lambda value, walk: walk.convert(value.value),
        list: _items,
        tuple: _items,
        range: _items,
        type({}.keys()): _items,
        type({}.values()): _items,
        type({}.items()): _items,
        set: _set,
        frozenset: _set,
        dict: _entries,
        MappingProxyType: _entries,
        OrderedDict: _ordered,
        PSObject: _object,
        Secret: _secret,
        PSCredential: _credential,
    }
)
