"""Outputs that are read at once: what most scripts give back, in a fraction of psrpcore's time.

psrpcore spends nearly all of its time on making objects with attributes of their own; here a public value is made of
the XML itself. Only a form that leaves no doubt is read so: primitives, objects, lists, dictionaries whose keys are
texts, values of enumerations. Of whatever else comes (references, secrets, types that psrpcore has a class for,
anything odd) nothing is given, and psrpcore is asked. What is given is what
:func:`~runner.psrp.from_ps.from_ps` makes of what psrpcore reads; tests hold the two against each other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from xml.etree import ElementTree as ET

import psrpcore.types as wire

from runner.objects import EnumValue
from runner.psrp.from_ps import DEEPEST, ORDERED, from_ps, public_object

_ENUM: Final = "Deserialized.System.Enum"
#: References, secrets, document types, comments and declarations: seen before anything is parsed for nothing.
_DOUBTFUL: Final = (b"<Ref", b"<SS", b"<!", b"<?")
#: What a container may be to psrpcore where its type says nothing that its tag does not.
_CONTAINERS: Mapping[str, tuple[type, type]] = MappingProxyType(
    {
        "LST": (wire.PSObject, wire.PSList),
        "IE": (wire.PSObject, wire.PSIEnumerable),
        "STK": (wire.PSObject, wire.PSStack),
        "QUE": (wire.PSObject, wire.PSQueue),
        "DCT": (wire.PSObject, wire.PSDict),
    }
)


class _Doubtful(Exception):
    """It is for psrpcore to read."""


def read_output(body: bytes) -> Any:
    """The public value of a PIPELINE_OUTPUT's CLIXML; None where it is for psrpcore to read, as a null always is."""
    if any(mark in body for mark in _DOUBTFUL):
        return None
    try:
        return _Reader().read(ET.fromstring(body), 0)  # noqa: S314 - without a document type
    except Exception:  # noqa: BLE001 - whatever is wrong with it, psrpcore tells
        return None


class _Reader:
    """Reads one message, in which a chain of types is told once and then referred to."""

    def __init__(self) -> None:
        self._chains: dict[str, tuple[str, ...]] = {}

    def read(self, element: ET.Element, depth: int) -> Any:
        """A value inside of ``depth`` others."""
        reader = _PRIMITIVES.get(element.tag)
        if reader is None:
            return self._object(element, depth)
        if len(element):
            raise _Doubtful
        return reader(element)

    def _object(self, element: ET.Element, depth: int) -> Any:
        parts = {part.tag: part for part in element}
        if element.tag != "Obj" or len(parts) != len(element) or depth >= DEEPEST:
            raise _Doubtful
        kind, names = _known(self._chain(parts))
        text = _text(parts.pop("ToString")) if "ToString" in parts else None
        if parts.keys() <= {"Props", "MS"}:
            if kind not in {wire.PSObject, wire.PSCustomObject}:
                raise _Doubtful
            return public_object(self._properties(parts, depth), names, text)
        ((tag, content),) = parts.items()
        if kind in _CONTAINERS.get(tag, ()):
            return self._container(content, names, depth)
        if kind is not wire.PSObject or tag not in _INTEGERS or _ENUM not in names or text is None:
            raise _Doubtful
        return EnumValue(text, self.read(content, depth))

    def _chain(self, parts: dict[str, ET.Element]) -> tuple[str, ...]:
        """The types of an object, nearest first; takes them out of its parts."""
        told, referred = parts.pop("TN", None), parts.pop("TNRef", None)
        if told is not None and referred is not None:
            raise _Doubtful
        if referred is not None:
            return self._chains[referred.attrib["RefId"]]
        if told is None:
            return ()
        chain = tuple(name.text or "" for name in told)
        self._chains[told.attrib["RefId"]] = chain
        return chain

    def _properties(self, parts: Mapping[str, ET.Element], depth: int) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for group in ("Props", "MS"):
            for item in parts.get(group, ()):
                name = item.attrib["N"]
                if "_x" in name:
                    raise _Doubtful
                properties[name] = self.read(item, depth + 1)
        return properties

    def _container(self, element: ET.Element, names: tuple[str, ...], depth: int) -> Any:
        if element.tag != "DCT":
            return [self.read(item, depth + 1) for item in element]
        entries: dict[str, Any] = OrderedDict() if names[:1] == (ORDERED,) else {}
        for key, value in element:
            if (key.tag, key.get("N"), value.get("N")) != ("S", "Key", "Value"):
                raise _Doubtful
            entries[self.read(key, depth + 1)] = self.read(value, depth + 1)
        return entries


@lru_cache(maxsize=1024)
def _known(chain: tuple[str, ...]) -> tuple[type, tuple[str, ...]]:
    """The class that psrpcore takes for a chain of types, and the chain as that has it."""
    bare = ET.Element("Obj")
    told = ET.SubElement(bare, "TN", RefId="0")
    for name in chain:
        ET.SubElement(told, "T").text = name
    try:
        value = wire.deserialize(bare, _NO_KEY)
    except Exception:  # noqa: BLE001 - a class that cannot be without its properties: an error record
        return type(None), ()
    return type(value), tuple(object.__getattribute__(value, "PSObject").type_names)


def _text(element: ET.Element) -> str:
    """A text; psrpcore reads those with escapes."""
    text = element.text or ""
    if "_x" not in text and not len(element):
        return text
    if len(element):
        raise _Doubtful
    escaped = ET.Element("S")
    escaped.text = text
    return str(_by_psrpcore(escaped))


def _by_psrpcore(element: ET.Element) -> Any:
    return from_ps(wire.deserialize(element, _NO_KEY))


def _truth(element: ET.Element) -> bool:
    return (element.text or "").lower() == "true"


def _number(element: ET.Element) -> float:
    return float(element.text or "none")


def _integer(kind: Any) -> Callable[[ET.Element], int]:
    lowest: int = kind.MinValue
    highest: int = kind.MaxValue

    def read(element: ET.Element) -> int:
        number = int(element.text or "none")
        if not lowest <= number <= highest:
            raise _Doubtful
        return number

    return read


#: There are no secrets among what is read here.
_NO_KEY: Final = wire.PSCryptoProvider()
_INTEGERS: Mapping[str, Callable[[ET.Element], Any]] = MappingProxyType(
    {
        "By": _integer(wire.PSByte),
        "SB": _integer(wire.PSSByte),
        "I16": _integer(wire.PSInt16),
        "U16": _integer(wire.PSUInt16),
        "I32": _integer(wire.PSInt),
        "U32": _integer(wire.PSUInt),
        "I64": _integer(wire.PSInt64),
        "U64": _integer(wire.PSUInt64),
    }
)
_PRIMITIVES: Mapping[str, Callable[[ET.Element], Any]] = MappingProxyType(
    {
        "Nil": lambda element: None,
        "S": _text,
        "B": _truth,
        "Db": _number,
        "Sg": _number,
        **_INTEGERS,
        **dict.fromkeys(("BA", "C", "D", "DT", "G", "SBK", "TS", "URI", "Version", "XD"), _by_psrpcore),
    }
)
