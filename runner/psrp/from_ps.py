"""What psrpcore read becomes a run's public values, by one closed table (remoting.md 1.10).

============================================  ==================================================================
PowerShell                                    public value
============================================  ==================================================================
null, Boolean, String, Char                   None, bool, str, str of one character
the eight integers, BigInteger                int
Single and Double, Decimal                    float, Decimal
DateTime, DateTimeOffset                      datetime, aware where the zone was sent; PreciseDatetime where its
                                              seventh digit is not zero
DateOnly, TimeOnly                            date, time (a TimeOnly to the microsecond)
TimeSpan                                      timedelta; PreciseTimedelta where it is no whole microsecond
Guid                                          UUID
Uri, Version, XmlDocument, ScriptBlock        str
Byte[]                                        bytes
arrays, lists, stacks, queues, enumerables    list
Hashtable and other dictionaries              dict in the order of arrival; OrderedDict of an OrderedDictionary
an enum value                                 EnumValue
SwitchParameter                               bool
SecureString, PSCredential                    Secret, PSCredential, where ``decrypt`` is given
anything else                                 PSObject: adapted and extended properties, the extended one where
                                              both have the name; type names; text
============================================  ==================================================================

Note properties of text, numbers, lists and dictionaries are not kept. A value that holds itself, and what is nested
deeper than :data:`DEEPEST`, becomes its text at that place, so that every public value has an end.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

import psrpcore.types as wire

from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSCredential, PSObject
from runner.values import Secret

DEEPEST: Final = 100
"""Containers in each other that are read; PowerShell writes 50."""

MOST_CONTAINERS = 1_000_000
"""Lists, dictionaries and objects of one value; a hostile peer can have few bytes refer to each other without end."""

Decrypt: TypeAlias = Callable[[Any], str]

_DOUBLED = "Deserialized.Deserialized."
_PREFIX = "Deserialized."
ORDERED: Final = "Deserialized.System.Collections.Specialized.OrderedDictionary"

_bare = object.__getattribute__  # psrpcore's own looks through all properties first, at every access


def from_ps(value: Any, decrypt: Decrypt | None = None) -> Any:
    """The public value of what psrpcore gave.

    Args:
        value: of an output event, an argument of a host call, or a part of a record.
        decrypt: gives the text of a psrpcore ``PSSecureString``; what it raises passes through, but for a ValueError.
            Without it, and where the text cannot be decrypted, a secure string becomes an object without properties.

    """
    reader = _READERS.get(type(value))
    return reader(value) if reader is not None else _Containers(decrypt).read(value)


def read_text(value: Any) -> str | None:
    """A string itself, of anything else what ``ToString()`` gave; None where that is not known."""
    plain = from_ps(value)
    if isinstance(plain, PSObject):
        return plain.text
    if isinstance(plain, dict | list):
        return _stand_in(value)
    return None if plain is None else str(plain)


class _Containers:
    """Reads a value that holds others, and knows which it is inside of."""

    def __init__(self, decrypt: Decrypt | None) -> None:
        self._decrypt = decrypt
        self._around: set[int] = set()
        self._read = 0

    def read(self, value: Any) -> Any:
        # By the type and not by isinstance, which asks psrpcore's objects for their class, and that is slow.
        kind = type(value)
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(value)
        if issubclass(kind, wire.PSSecureString):
            return self._secure_string(value)
        if issubclass(kind, Enum):
            return _known_enum(value)
        if not issubclass(kind, wire.PSObject):
            return value
        return self._container(value, kind)

    def _container(self, value: Any, kind: type) -> Any:
        around, key = self._around, id(value)
        self._read += 1
        if key in around or len(around) >= DEEPEST or self._read > MOST_CONTAINERS:
            return _stand_in(value)
        around.add(key)
        try:
            if issubclass(kind, dict):
                return self._dictionary(value)
            if issubclass(kind, list):
                return list(map(self.read, list.__iter__(value)))
            if issubclass(kind, wire.PSQueue):
                return list(map(self.read, value.queue))
            return self._object(value, kind)
        finally:
            around.discard(key)

    def _dictionary(self, value: dict[Any, Any]) -> dict[Any, Any]:
        read = self.read
        entries = ((_key(read(key), key), read(item)) for key, item in dict.items(value))
        return OrderedDict(entries) if _bare(value, "PSObject").type_names[0] == ORDERED else dict(entries)

    def _object(self, value: Any, kind: type) -> Any:
        meta = _bare(value, "PSObject")
        read = self.read
        properties = {prop.name: read(prop.get_value(value)) for prop in meta.adapted_properties}
        for prop in meta.extended_properties:
            properties[prop.name] = read(prop.get_value(value))
        text = _text(value)
        if text is None and issubclass(kind, wire.InformationalRecord):
            text = properties.get(
                "Message"
            )  # psrpcore makes a new record of it, without the text that was sent
        return public_object(properties, meta.type_names, text)

    def _secure_string(self, value: Any) -> Any:
        if self._decrypt is not None:
            with suppress(ValueError):  # encrypted with another key, or no cipher text at all
                return Secret(str.__str__(self._decrypt(value)))
        return PSObject(type_names=_type_names(value.PSObject.type_names), text=_type_name(value))


def public_object(properties: dict[str, Any], names: Sequence[str], text: str | None) -> Any:
    """An object, or the value it stands for where Python has that.

    Args:
        properties: public values, by name.
        names: the chain of types as psrpcore has it.
        text: what ``ToString()`` gave, None where that is not known.

    """
    special = _SPECIAL.get(names[0]) if names else None
    if special is not None:
        # The numbers of a peer can be out of every range of Python's.
        with suppress(ValueError, OverflowError):
            if (found := special(properties, text)) is not None:
                return found
    return PSObject(properties, type_names=_type_names(names), text=text)


@lru_cache(maxsize=1024)
def _marked_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """The chain; psrpcore marks every type that it does not know as deserialized, also one that the peer has marked."""
    return tuple(
        name if not name.startswith(_DOUBLED) else _PREFIX + name.replace(_PREFIX, "") for name in names
    )


def _type_names(names: Iterable[str]) -> tuple[str, ...]:
    return _marked_once(tuple(names))


def _type_name(value: Any) -> str:
    names = _type_names(_bare(value, "PSObject").type_names) if isinstance(value, wire.PSObject) else ()
    return names[0].removeprefix(_PREFIX) if names else type(value).__name__


def _text(value: Any) -> str | None:
    try:
        text = _bare(value, "PSObject").to_string
    except AttributeError:  # an error record without an exception
        return None
    return None if text is None else str.__str__(text)


def _stand_in(value: Any) -> str:
    """What stands for a container that is not read: its text, or the name of its type as .NET writes it there."""
    return (None if isinstance(value, dict | list) else _text(value)) or _type_name(value)


def _key(key: Any, sent: Any) -> Any:
    """A key that Python can hold: what has no hash stands as its text."""
    return _stand_in(sent) if isinstance(key, dict | list | PSCredential | Secret) else key


def _known_enum(value: Enum) -> Any:
    """A value of an enumeration that psrpcore knows by name; its own names begin small where Python's words do."""
    name = (value.name or _text(value) or "").replace("|", ", ")
    return EnumValue("None" if name == "none" else name, int(value.value))


def _integer(plain: str) -> Callable[[Any], Any]:
    """A reader of an integer type; ``plain`` is its type name, any other is that of an enumeration on top of it."""

    def read(value: Any) -> Any:
        meta = _bare(value, "PSObject")
        names = meta.type_names
        if names[0] == plain or not any(name.endswith("System.Enum") for name in names):
            return int(value)
        return EnumValue(str(meta.to_string), int(value))

    return read


def _datetime(value: Any) -> datetime:
    tick = _bare(value, "nanosecond") // 100
    plain = datetime.combine(datetime.date(value), datetime.timetz(value))
    return PreciseDatetime.of(plain, tick) if tick else plain


def _duration(value: Any) -> timedelta:
    tick = _bare(value, "nanoseconds") // 100
    if tick:
        return PreciseTimedelta(value.days, value.seconds, value.microseconds, tick=tick)
    return timedelta(value.days, value.seconds, value.microseconds)


def _datetime_offset(properties: Mapping[str, Any], text: str | None) -> Any:
    moment, offset = properties.get("DateTime"), properties.get("Offset")
    if not isinstance(moment, datetime) or not isinstance(offset, timedelta):
        return None
    zone = timezone(offset) if offset else UTC
    aware = moment.replace(tzinfo=zone)
    return PreciseDatetime.of(aware, moment.tick) if isinstance(moment, PreciseDatetime) else aware


def _numbers(properties: Mapping[str, Any], *names: str) -> tuple[int, ...] | None:
    found = tuple(properties.get(name) for name in names)
    return found if all(isinstance(number, int) for number in found) else None  # type: ignore[return-value]


def _date_only(properties: Mapping[str, Any], text: str | None) -> Any:
    parts = _numbers(properties, "Year", "Month", "Day")
    return date(*parts) if parts else None


def _time_only(properties: Mapping[str, Any], text: str | None) -> Any:
    ticks = properties.get("Ticks")
    if not isinstance(ticks, int):
        return None
    return (datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=ticks // 10)).time()


def _big_integer(properties: Mapping[str, Any], text: str | None) -> Any:
    return int(text or "")


def _switch(properties: Mapping[str, Any], text: str | None) -> Any:
    present = properties.get("IsPresent")
    return present if isinstance(present, bool) else None


def _credential(properties: Mapping[str, Any], text: str | None) -> Any:
    name, password = properties.get("UserName"), properties.get("Password")
    return PSCredential(name, password) if isinstance(name, str) and isinstance(password, Secret) else None


_READERS: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        type(None): lambda value: None,
        bool: lambda value: value,
        str: lambda value: value,
        wire.PSString: str.__str__,
        wire.PSUri: str.__str__,
        wire.PSXml: str.__str__,
        wire.PSScriptBlock: str.__str__,
        wire.PSVersion: lambda value: value.__str__(),
        wire.PSChar: lambda value: chr(int.__int__(value)),
        wire.PSByte: _integer("System.Byte"),
        wire.PSSByte: _integer("System.SByte"),
        wire.PSInt16: _integer("System.Int16"),
        wire.PSUInt16: _integer("System.UInt16"),
        wire.PSInt: _integer("System.Int32"),
        wire.PSUInt: _integer("System.UInt32"),
        wire.PSInt64: _integer("System.Int64"),
        wire.PSUInt64: _integer("System.UInt64"),
        wire.PSSingle: float.__float__,
        wire.PSDouble: float.__float__,
        wire.PSDecimal: Decimal,
        wire.PSByteArray: bytes,
        wire.PSGuid: lambda value: UUID(int=value.int),
        wire.PSDateTime: _datetime,
        wire.PSDuration: _duration,
        PSObject: lambda value: value,  # it is public already
    }
)

_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], str | None], Any]] = MappingProxyType(
    {
        "Deserialized.System.DateTimeOffset": _datetime_offset,
        "Deserialized.System.DateOnly": _date_only,
        "Deserialized.System.TimeOnly": _time_only,
        "Deserialized.System.Numerics.BigInteger": _big_integer,
        "Deserialized.System.Management.Automation.SwitchParameter": _switch,
        "System.Management.Automation.PSCredential": _credential,
    }
)
"""Objects that have a form in Python; where their properties are not as they should be, they stay objects."""
