"""Values of results as JSON and back, without loss: the journal keeps types that JSON has not.

What JSON has stays plain. Everything else is a mapping with the key ``$type``; a mapping of the author's that has such
a key itself is written as ``{"$type": "dict", "value": [[key, value], ...]}``.

==========================  =======================================================================
type                        written as ``{"$type": ..., "value": ...}``
==========================  =======================================================================
text with lone surrogates   ``text``, base64 of UTF-8 in which surrogates may pass
int above 4,000 digits      ``int``, hexadecimal
float inf, nan              ``float``, ``inf``, ``-inf`` or ``nan``
bytes                       ``bytes``, base64
tuple                       ``tuple``, a list
dict with other keys        ``dict``, pairs; OrderedDict is ``ordered``
datetime                    ``datetime``, ISO 8601; ``zone`` an IANA name, ``fold`` 1, ``tick`` of 100 ns
date, time, timedelta       ``date``, ``time`` in ISO 8601, ``duration`` in microseconds with ``tick``
Decimal, UUID               ``decimal``, ``uuid``, their text
PSObject                    ``object``, properties as ``dict`` has them; ``names``, ``words``
EnumValue                   ``enum``, the name; ``number``
Secret, PSCredential        ``secret``, ``credential`` with ``user``: without what must not be stored
deep nesting                ``deep``: a list of containers, which name each other by number
anything else               its text
==========================  =======================================================================
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSCredential, PSObject
from runner.values import Secret

TYPE: Final = "$type"
SPOOL: Final = "$spool"
"""The key of a reference to a file of the spool (``spool.py``); in a value it is escaped as ``$type`` is."""

STARS: Final = "********"
"""What a secret comes back as; the masked results of a run have the same."""

_MOST_BITS: Final = 13_000  # below the 4,300 digits that Python converts to text (sys.int_info)
_DEEPEST: Final = 60  # PowerShell writes 50; four frames of Python each, of which there are 1,000


def encode(value: Any) -> Any:
    """The value as JSON has it; never raises, whatever a host sent. Floats are finite, keys are text."""
    return _encode(value, 0)


def decode(value: Any) -> Any:
    """The value that :func:`encode` was given.

    Raises:
        ValueError: it is not what ``encode`` writes (KeyError and TypeError are made into it).

    """
    try:
        return _decode(value)
    except (KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"no value: {error!r}") from error


def _encode(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value)
    if kind is bool or value is None:
        return value
    if depth > _DEEPEST and kind in _CONTAINERS:
        return _deep(value)
    if kind is list:
        return [_encode(item, depth + 1) for item in value]
    if kind is dict:
        return _mapping(value, depth)
    encoder = _ENCODERS.get(kind)
    return encoder(value, depth) if encoder is not None else _other(value, depth)


def _text(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return {TYPE: "text", "value": _base64(value.encode("utf-8", "surrogatepass"))}
    return value


def _integer(value: int, _: int) -> Any:
    return value if value.bit_length() <= _MOST_BITS else {TYPE: "int", "value": hex(value)}


def _float(value: float, _: int) -> Any:
    return value if math.isfinite(value) else {TYPE: "float", "value": str(value)}


def _mapping(value: dict[Any, Any], depth: int) -> Any:
    """A mapping of JSON where its keys allow it."""
    for key in value:
        if type(key) is not str or key in {TYPE, SPOOL} or not (key.isascii() or _text(key) is key):
            return {TYPE: "dict", "value": _pairs(value, depth)}
    return {key: _encode(item, depth + 1) for key, item in value.items()}


def _pairs(value: Mapping[Any, Any], depth: int) -> list[Any]:
    return [[_encode(key, depth + 1), _encode(item, depth + 1)] for key, item in value.items()]


def _object(value: PSObject, depth: int) -> Any:
    written: dict[str, Any] = {TYPE: "object", "value": _mapping(value, depth)}
    if value.type_names:
        written["names"] = [_encode(name, depth) for name in value.type_names]
    if value.text is not None:
        written["words"] = _encode(value.text, depth)
    return written


def _datetime(value: datetime, _: int) -> Any:
    """With its offset; a zone's name is kept too, as an offset does not say what holds an hour later."""
    written: dict[str, Any] = {TYPE: "datetime", "value": datetime.isoformat(value)}  # without a tick
    if isinstance(value, PreciseDatetime):
        written["tick"] = value.tick
    return written | _zone(value)


def _time(value: time, _: int) -> Any:
    return {TYPE: "time", "value": value.isoformat()} | _zone(value)


def _zone(value: datetime | time) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key:
        written["zone"] = value.tzinfo.key
    if value.fold:
        written["fold"] = value.fold
    return written


def _duration(value: timedelta, _: int) -> Any:
    whole = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    written: dict[str, Any] = {TYPE: "duration", "value": whole}
    if isinstance(value, PreciseTimedelta):
        written["tick"] = value.tick
    return written


def _enum_value(value: EnumValue, _: int) -> Any:
    return {TYPE: "enum", "value": _text(str.__str__(value)), "number": _integer(value.number, 0)}


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _other(value: Any, depth: int) -> Any:
    """A class of its own: as the nearest type that is known, else its text."""
    if isinstance(value, Enum):
        return _encode(value.value, depth)
    for kind, plain in _NEAREST:
        if isinstance(value, kind):
            return _encode(plain(value), depth)
    return _text(str(value))


def _deep(value: Any) -> Any:
    """What is nested so deep that recursion would end: its containers in a list, each child by its number there."""
    queue, nodes = [value], []

    def child(item: Any) -> Any:
        if type(item) not in _CONTAINERS:
            return _encode(item, 0)
        queue.append(item)
        return {TYPE: "at", "value": len(queue) - 1}

    for container in queue:  # grows meanwhile
        kind = _CONTAINERS[type(container)]
        if isinstance(container, dict):
            node = [kind, [[_encode(key, 0), child(item)] for key, item in container.items()]]
        else:
            node = [kind, [child(item) for item in container]]
        if isinstance(container, PSObject):
            node += [[_text(name) for name in container.type_names], _encode(container.text, 0)]
        nodes.append(node)
    return {TYPE: "deep", "value": nodes}


_CONTAINERS: Final[Mapping[type, str]] = MappingProxyType(
    {list: "list", tuple: "tuple", dict: "dict", OrderedDict: "ordered", PSObject: "object"}
)

_ENCODERS: Final[Mapping[type, Callable[[Any, int], Any]]] = MappingProxyType(
    {
        int: _integer,
        float: _float,
        bytes: lambda value, _: {TYPE: "bytes", "value": _base64(value)},
        tuple: lambda value, depth: {TYPE: "tuple", "value": [_encode(item, depth + 1) for item in value]},
        OrderedDict: lambda value, depth: {TYPE: "ordered", "value": _pairs(value, depth)},
        PSObject: _object,
        EnumValue: _enum_value,
        datetime: _datetime,
        PreciseDatetime: _datetime,
        date: lambda value, _: {TYPE: "date", "value": value.isoformat()},
        time: _time,
        timedelta: _duration,
        PreciseTimedelta: _duration,
        Decimal: lambda value, _: {TYPE: "decimal", "value": str(value)},
        UUID: lambda value, _: {TYPE: "uuid", "value": str(value)},
        Secret: lambda value, _: {TYPE: "secret"},
        PSCredential: lambda value, _: {TYPE: "credential", "user": _text(value.username)},
    }
)

_NEAREST: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (Mapping, dict),
    (list, list),
    (tuple, tuple),
    (bytearray, bytes),
    (memoryview, bytes),
    (AbstractSet, lambda value: sorted(value, key=repr)),
)


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TYPE not in value:
        return {key: _decode(item) for key, item in value.items()}
    return _DECODERS[value[TYPE]](value)


def _from_base64(text: str) -> bytes:
    return b64decode(text, validate=True)


def _from_pairs(pairs: list[Any]) -> list[tuple[Any, Any]]:
    return [(_decode(key), _decode(item)) for key, item in pairs]


def _to_object(written: dict[str, Any]) -> PSObject:
    names = tuple(_decode(name) for name in written.get("names", ()))
    text = written.get("words")
    return PSObject(_decode(written["value"]), type_names=names, text=None if text is None else _decode(text))


def _to_datetime(written: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(written["value"]).replace(fold=written.get("fold", 0))
    zone = _to_zone(written)
    if zone is not None:
        moment = moment.replace(tzinfo=zone)
    return PreciseDatetime.of(moment, written["tick"]) if "tick" in written else moment


def _to_time(written: dict[str, Any]) -> time:
    clock = time.fromisoformat(written["value"]).replace(fold=written.get("fold", 0))
    zone = _to_zone(written)
    return clock if zone is None else clock.replace(tzinfo=zone)


def _to_zone(written: dict[str, Any]) -> ZoneInfo | None:
    """The zone by its name; None where this machine does not know it, and the offset that is written stands."""
    try:
        return ZoneInfo(written["zone"]) if "zone" in written else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _to_duration(written: dict[str, Any]) -> timedelta:
    whole = timedelta(microseconds=written["value"])
    if "tick" not in written:
        return whole
    return PreciseTimedelta(whole.days, whole.seconds, whole.microseconds, tick=written["tick"])


def _to_credential(written: dict[str, Any]) -> PSCredential:
    return PSCredential(_decode(written["user"]), Secret(STARS))


def _from_deep(nodes: list[Any]) -> Any:
    """From the last to the first: a container stands before its children."""
    built: list[Any] = [None] * len(nodes)

    def child(item: Any) -> Any:
        return built[item["value"]] if isinstance(item, dict) and item.get(TYPE) == "at" else _decode(item)

    for number in range(len(nodes) - 1, -1, -1):
        kind, items, *rest = nodes[number]
        if kind in {"list", "tuple"}:
            found: Any = [child(item) for item in items]
            built[number] = found if kind == "list" else tuple(found)
            continue
        entries = [(_decode(key), child(item)) for key, item in items]
        if kind == "object":
            names, text = rest
            built[number] = PSObject(entries, type_names=tuple(map(_decode, names)), text=_decode(text))
        else:
            built[number] = OrderedDict(entries) if kind == "ordered" else dict(entries)
    return built[0]


_DECODERS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = MappingProxyType(
    {
        "text": lambda written: _from_base64(written["value"]).decode("utf-8", "surrogatepass"),
        "int": lambda written: int(written["value"], 16),
        "float": lambda written: float(written["value"]),
        "bytes": lambda written: _from_base64(written["value"]),
        "tuple": lambda written: tuple(map(_decode, written["value"])),
        "dict": lambda written: dict(_from_pairs(written["value"])),
        "ordered": lambda written: OrderedDict(_from_pairs(written["value"])),
        "datetime": _to_datetime,
        "date": lambda written: date.fromisoformat(written["value"]),
        "time": _to_time,
        "duration": _to_duration,
        "decimal": lambda written: Decimal(written["value"]),
        "uuid": lambda written: UUID(written["value"]),
        "object": _to_object,
        "enum": lambda written: EnumValue(_decode(written["value"]), _decode(written["number"])),
        "secret": lambda written: Secret(STARS),
        "credential": _to_credential,
        "deep": lambda written: _from_deep(written["value"]),
    }
)
