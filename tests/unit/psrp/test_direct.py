"""What is read at once is what comes by way of psrpcore: value, type, text and order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.objects import EnumValue, PSObject, ticks_of
from runner.psrp.direct import read_output
from runner.psrp.from_ps import DEEPEST, from_ps
from tests.support.clixml import RECORDINGS, read, written
from tests.unit.psrp.test_to_ps_round_trip import VALUES

TYPES = (
    "My.Type",
    "System.Object",
    "System.Enum",
    "System.Int32",
    "System.Collections.ArrayList",
    "System.Collections.Hashtable",
    "System.Collections.Specialized.OrderedDictionary",
    "System.Management.Automation.PSCustomObject",
    "System.Management.Automation.PSPrimitiveDictionary",
    "System.Management.Automation.ErrorRecord",
    "System.Management.Automation.SwitchParameter",
    "System.DateTimeOffset",
    "System.DateOnly",
    "System.ConsoleColor",
    "Deserialized.My.Type",
)
TEXTS = {
    "S": ("", "a b", "a_x000A_b", "_x", "_X0041_", "<&>", "ä€😀", "_xD83D__xDE00_"),
    "C": ("65", "", "x", "1114112"),
    "B": ("true", "false", "True", ""),
    "I32": ("5", "-2147483648", "2147483648", " 5 ", "1_0", "", "x", "٣"),
    "By": ("255", "256"),
    "I64": ("9223372036854775807", "9223372036854775808"),
    "U64": ("18446744073709551615", "-1"),
    "Db": ("1.5", "NaN", "-INF", "", "1e400"),
    "Sg": ("0.1", "x"),
    "D": ("1.10", "1E5", "", "x"),
    "DT": ("2026-11-21T07:12:30.1817104Z", "2026-11-21T07:12:30", "2026-11-21T07:12:30.5+05:30", "now"),
    "TS": ("PT10S", "-P1DT0.0000001S", "P", "x"),
    "G": ("12345678-1234-5678-1234-567812345678", "x"),
    "URI": ("https://a.example/b", "_x0041_"),
    "Version": ("1.2.3.4", "1.2", "x"),
    "XD": ("<a/>", "x"),
    "SBK": ("1 + 1",),
    "BA": ("AAH/", "A", ""),
    "SS": ("00",),
    "PR": ("",),
    "Nil": ("",),
    "Odd": ("x",),
}
NAMES = (
    "",
    ' N="A"',
    ' N="B"',
    ' N="a"',
    ' N="_x0041_"',
    ' N="Key"',
    ' N="Value"',
    ' N="Year"',
    ' N="IsPresent"',
)


def by_psrpcore(clixml: str) -> Any:
    """The public value by way of psrpcore."""
    return from_ps(read(clixml))


def facts(value: Any) -> Any:
    """All that must be equal, types included, as plain tuples."""
    if isinstance(value, PSObject):
        return PSObject, value.type_names, value.text, [(key, facts(item)) for key, item in value.items()]
    if isinstance(value, dict):
        return type(value), [(facts(key), facts(item)) for key, item in value.items()]
    if isinstance(value, list):
        return type(value), [facts(item) for item in value]
    if isinstance(value, EnumValue):
        return EnumValue, str(value), value.number
    if isinstance(value, datetime):
        return type(value), value.isoformat(), repr(value.tzinfo)
    return type(value), ticks_of(value) if isinstance(value, timedelta) else repr(value)


@given(VALUES)
def test_every_value_that_can_be_sent(value: Any) -> None:
    """Where anything is read at once it is the value that psrpcore's objects become."""
    clixml = written(value)
    found = read_output(clixml.encode("utf-8", "surrogatepass"))

    assert found is None or facts(found) == facts(by_psrpcore(clixml))


def element(tag: str, content: str, number: str = "") -> str:
    """An element whose name as a part of another stands where the ``~`` is."""
    return f"<{tag}{number}~>{content}</{tag}>"


def named(value: str, name: str) -> str:
    """The same with a name."""
    return value.replace("~", name, 1)


PRIMITIVES = st.sampled_from(
    [element(tag, escape(text)) for tag, texts in sorted(TEXTS.items()) for text in texts]
)
NUMBERS = st.sampled_from(("", ' RefId="0"', ' RefId="1"'))


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects with up to four parts, in any order, repeated or missing."""
    items = st.builds(named, values, st.sampled_from(NAMES))
    many = st.lists(items, max_size=3).map("".join)
    keys = st.sampled_from(TEXTS["S"]).map(lambda text: f'<S N="Key">{escape(text)}</S>')
    entries = st.builds(
        "<En>{}{}</En>".format, keys | items, st.builds(named, values, st.just(' N="Value"')) | items
    )
    chains = st.lists(st.sampled_from(TYPES).map("<T>{}</T>".format), max_size=3).map("".join)
    parts = st.one_of(
        st.builds("<TN{}>{}</TN>".format, NUMBERS, chains),
        NUMBERS.map("<TNRef{} />".format),
        st.sampled_from(TEXTS["S"]).map(lambda text: f"<ToString>{escape(text)}</ToString>"),
        *(many.map(f"<{tag}>{{}}</{tag}>".format) for tag in ("Props", "MS", "LST", "IE", "STK", "QUE")),
        st.lists(entries, max_size=2).map("".join).map("<DCT>{}</DCT>".format),
        items,
    )
    anything = st.builds(element, st.just("Obj"), st.lists(parts, max_size=4).map("".join), NUMBERS)
    proper = st.builds(
        '<Obj RefId="0"~><TN RefId="0">{}</TN><ToString>x</ToString><Props>{}</Props><MS>{}</MS></Obj>'.format,
        chains,
        many,
        many,
    )
    enums = st.builds(
        '<Obj RefId="0"~><TN RefId="0">{}<T>System.Enum</T></TN><ToString>Friday</ToString>{}</Obj>'.format,
        chains,
        st.sampled_from(("<I32>5</I32>", "<By>5</By>", "<I64>x</I64>", "<Db>5</Db>")),
    )
    return anything | proper | enums | NUMBERS.map("<Ref{}~ />".format)


@given(st.recursive(PRIMITIVES, _objects, max_leaves=10).map(lambda value: named(value, "")))
@settings(max_examples=300)
@example("<!DOCTYPE S [<!ENTITY e 'x'>]><S>&e;</S>")
@example("<S>a<!-- b -->c</S>")
@example('<Obj><TN RefId="0"><T>A</T></TN><MS><I32 N="A">1</I32></MS><Props><B N="A">true</B></Props></Obj>')
def test_whatever_a_host_sends(clixml: str) -> None:
    """Odd, wrong and in any order: it is what psrpcore's objects become, or it is left to psrpcore."""
    found = read_output(clixml.encode())

    assert found is None or facts(found) == facts(by_psrpcore(clixml))


def test_objects_in_each_other() -> None:
    """As deep as they are read, one less and one more."""
    for depth in (DEEPEST - 1, DEEPEST, DEEPEST + 1):
        clixml = '<Obj><MS><S N="A">a</S></MS></Obj>'
        for _ in range(depth - 1):
            clixml = f"<Obj><LST>{clixml}</LST></Obj>"
        found = read_output(clixml.encode())

        assert (found is None) == (depth > DEEPEST)
        assert found is None or facts(found) == facts(by_psrpcore(clixml))


def test_a_form_is_read_at_once() -> None:
    """Each form that the module names."""
    types = '<TN RefId="0"><T>My.Type</T><T>System.Enum</T></TN>'
    assert read_output(f"<Obj>{types}<MS><S N='A'>_x0041_</S></MS></Obj>".encode()) == {"A": "A"}
    assert read_output(f"<Obj>{types}<ToString>Red</ToString><By>1</By></Obj>".encode()) == "Red"
    assert read_output(b"<Obj><QUE><I32>1</I32><Nil/><B>true</B></QUE></Obj>") == [1, None, True]
    assert read_output(b'<Obj><DCT><En><S N="Key">k</S><Db N="Value">1</Db></En></DCT></Obj>') == {"k": 1.0}


@pytest.mark.parametrize(
    "clixml",
    [
        "<Nil />",
        "<SS>00</SS>",
        "<I32>2147483648</I32>",
        "<I32>x</I32>",
        "<S>a<!-- b --></S>",
        '<?xml version="1.0"?><S>a</S>',
        '<Obj RefId="0"><LST><Ref RefId="0" /></LST></Obj>',
        "<Obj><TN RefId='0'><T>My.Type</T></TN><ToString>x</ToString><I32>1</I32></Obj>",
        "<Obj><TN RefId='0'><T>System.ConsoleColor</T><T>System.Enum</T></TN><ToString>x</ToString><I32>1</I32></Obj>",
        "<Obj><TN RefId='0'><T>System.Management.Automation.PSPrimitiveDictionary</T></TN><DCT /></Obj>",
        "<Obj><TN RefId='0'><T>System.Management.Automation.ErrorRecord</T></TN><MS /></Obj>",
        "<Obj><TN RefId='0'><T>A</T></TN><LST><Obj><TN RefId='1'><T>B</T></TN><TNRef RefId='0' /></Obj></LST></Obj>",
    ],
)
def test_what_is_in_doubt_is_left_to_psrpcore(clixml: str) -> None:
    """References, secrets, types with a class in psrpcore, numbers out of range, parts that exclude each other."""
    assert read_output(clixml.encode()) is None


def recorded() -> Iterator[tuple[str, str]]:
    """Every output that the recordings hold, and every value of the corpus."""
    for path in sorted((RECORDINGS / "server").glob("*.json")):
        for packet in json.loads(path.read_text(encoding="utf-8"))["transcript"]:
            for message in packet.get("messages") or ():
                if packet["dir"] == "S" and message["name"] == "PipelineOutput" and message["clixml"]:
                    yield path.stem, message["clixml"].lstrip("\ufeff")
    for entry in json.loads((RECORDINGS / "clixml-corpus.json").read_text(encoding="utf-8")):
        whole = entry["clixml"]
        yield (
            entry["expression"],
            whole[whole.index(">", whole.index("<Objs")) + 1 : whole.rindex("</Objs>")].strip(),
        )


def test_every_output_of_the_recordings() -> None:
    """All are equal, and most are read at once."""
    total = at_once = 0
    for name, clixml in recorded():
        found = read_output(clixml.encode())
        total += 1
        if found is not None:
            at_once += 1
            assert facts(found) == facts(by_psrpcore(clixml)), name

    assert (total > 400, at_once > 0.85 * total) == (True, True), (total, at_once)
