"""Python values in the form in which PowerShell is sent them."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from jinja2 import StrictUndefined
from markupsafe import Markup

from runner.engine.result import Status
from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSCredential, PSObject
from runner.psrp.to_ps import DEEPEST, NotSendable, holds_secret, to_ps
from runner.values import Secret
from tests.support.clixml import written


class Size(Enum):
    """An enumeration of Python."""

    LARGE = 3


class Level(IntEnum):
    """An enumeration that is an integer."""

    HIGH = 7


@pytest.mark.parametrize(
    ("value", "clixml"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (0, "<I32>0</I32>"),
        (2**31 - 1, "<I32>2147483647</I32>"),
        (2**31, "<I64>2147483648</I64>"),
        (-(2**31), "<I32>-2147483648</I32>"),
        (-(2**31) - 1, "<I64>-2147483649</I64>"),
        (2**63 - 1, "<I64>9223372036854775807</I64>"),
        (-(2**63), "<I64>-9223372036854775808</I64>"),
        (2**63, "<U64>9223372036854775808</U64>"),
        (2**64, "<D>18446744073709551616</D>"),
        (-(2**63) - 1, "<D>-9223372036854775809</D>"),
        (1.5, "<Db>1.5</Db>"),
        (1e300, "<Db>1E+300</Db>"),
        (float("nan"), "<Db>NaN</Db>"),
        (float("inf"), "<Db>INF</Db>"),
        (float("-inf"), "<Db>-INF</Db>"),
        (Decimal("1.10"), "<D>1.10</D>"),
        (Decimal("1E+3"), "<D>1000</D>"),
        (Decimal("1E-10"), "<D>0.0000000001</D>"),
        (Decimal("0E-40"), f"<D>0.{'0' * 28}</D>"),
        (Decimal(f"1.{'0' * 40}"), f"<D>1.{'0' * 28}</D>"),
        (Decimal(2**96 - 1), "<D>79228162514264337593543950335</D>"),
        ("a\r\n\x00_x000A_ 😀", "<S>a_x000D__x000A__x0000__x005F_x000A_ _xD83D__xDE00_</S>"),
        (Markup("<b>"), "<S>&lt;b&gt;</S>"),
        (Status.OK, "<S>ok</S>"),
        (Level.HIGH, "<I32>7</I32>"),
        (Size.LARGE, "<I32>3</I32>"),
        (EnumValue("Stopped", 1), "<S>Stopped</S>"),
        (PurePosixPath("/etc/x"), "<S>/etc/x</S>"),
        (b"\x00\xff", "<BA>AP8=</BA>"),
        (bytearray(b"\x00\xff"), "<BA>AP8=</BA>"),
        (UUID(int=1), "<G>00000000-0000-0000-0000-000000000001</G>"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "<DT>2026-01-02T03:04:05Z</DT>"),
        (
            datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=2))),
            "<DT>2026-01-02T01:04:05.000006Z</DT>",
        ),
        (datetime(1, 1, 1), "<DT>0001-01-01T00:00:00</DT>"),  # noqa: DTZ001 - the zone is what is tested
        (PreciseDatetime(2026, 1, 2, tzinfo=UTC, tick=7), "<DT>2026-01-02T00:00:00.0000007Z</DT>"),
        (PreciseDatetime(2026, 1, 2, tick=7), "<DT>2026-01-02T00:00:00.0000007</DT>"),
        (date(2026, 1, 2), "<DT>2026-01-02T00:00:00</DT>"),
        (timedelta(seconds=10), "<TS>PT10S</TS>"),
        (timedelta(seconds=20), "<TS>PT20S</TS>"),
        (timedelta(seconds=30), "<TS>PT30S</TS>"),
        (timedelta(seconds=90), "<TS>PT1M30S</TS>"),
        (timedelta(seconds=100), "<TS>PT1M40S</TS>"),
        (timedelta(days=-1.5), "<TS>-P1DT12H</TS>"),
        (timedelta(), "<TS>PT0S</TS>"),
        (PreciseTimedelta(tick=1), "<TS>PT0.0000001S</TS>"),
        (time(1, 2, 3, 500_000), "<TS>PT1H2M3.5S</TS>"),
    ],
)
def test_a_scalar_has_its_element(value: Any, clixml: str) -> None:
    """Each type of the table is written as .NET reads it, where psrpcore's own text would be wrong too."""
    assert re.sub(r"(<\S*?) >", r"\1>", written(value)) == clixml


_LIST = (
    '<Obj RefId="0"><TN RefId="0"><T>System.Collections.ArrayList</T><T>System.Object</T></TN>'
    "<LST><I32>1</I32><S>a</S></LST></Obj>"
)
_TABLE = (
    '<Obj RefId="0"><TN RefId="0"><T>System.Collections.{kind}</T><T>System.Object</T></TN><DCT>'
    '<En><S N="Key">z</S><I32 N="Value">1</I32></En><En><I32 N="Key">1</I32><Nil N="Value" /></En></DCT></Obj>'
)

_OBJECT = (
    '<Obj RefId="0"><TN RefId="0"><T>My.Type</T><T>System.Object</T></TN>'
    '<MS><S N="Name">n</S><Nil N="PSObject" /></MS><ToString>it</ToString></Obj>'
)
_CUSTOM = (
    '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T>'
    '<T>System.Object</T></TN><MS><Obj RefId="1" N="x"><TN RefId="1">'
    "<T>System.Collections.ArrayList</T><T>System.Object</T></TN><LST><I32>1</I32></LST></Obj></MS></Obj>"
)


@pytest.mark.parametrize(
    ("value", "clixml"),
    [
        ([1, "a"], _LIST),
        ((1, "a"), _LIST),
        ({"a", 1}, _LIST.replace("<I32>1</I32><S>a</S>", "<S>a</S><I32>1</I32>")),
        ({1: 0, "a": 0}.keys(), _LIST),
        ({0: 1, 1: "a"}.values(), _LIST),
        (range(1, 3), _LIST.replace("<S>a</S>", "<I32>2</I32>")),
        ({"z": 1, 1: None}, _TABLE.format(kind="Hashtable")),
        (MappingProxyType({"z": 1, 1: None}), _TABLE.format(kind="Hashtable")),
        (OrderedDict({"z": 1, 1: None}), _TABLE.format(kind="Specialized.OrderedDictionary")),
        (
            PSObject(
                {"Name": "n", "PSObject": None},
                type_names=("Deserialized.Deserialized.My.Type", "Deserialized.System.Object"),
                text="it",
            ),
            _OBJECT,
        ),
        (
            PSObject({"x": [1]}),
            _CUSTOM,
        ),
    ],
)
def test_a_container_has_its_element(value: Any, clixml: str) -> None:
    """Sequences are lists, mappings tables in their order, objects keep names and text and are marked once only."""
    assert written(value) == clixml


def test_secrets_are_encrypted() -> None:
    """A secret goes as SecureString, a login as PSCredential, and their text stands nowhere."""
    clixml = written({"word": Secret("hunter2"), "login": PSCredential("ops", Secret("hunter2"))})

    assert "hunter2" not in clixml
    assert clixml.count("</SS>") == 2
    assert "<T>System.Management.Automation.PSCredential</T>" in clixml


def test_keys_that_differ_by_case_are_both_sent() -> None:
    """PowerShell makes a table of them that is sensitive to case; nothing is lost."""
    assert to_ps({"a": 1, "A": 2}) == {"a": 1, "A": 2}


def nested(levels: int) -> Any:
    """Lists in each other."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def cyclic() -> dict[str, Any]:
    """A mapping that holds itself."""
    value: dict[str, Any] = {}
    value["me"] = {"again": [value]}
    return value


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        (2**97, "$", "beyond 96 bits"),
        (Decimal("NaN"), "$", "neither infinity nor NaN"),
        (Decimal("1E+400"), "$", "larger than a .NET Decimal"),
        (Decimal(2**96), "$", "more digits"),
        (Decimal(f"1.{'1' * 40}"), "$", "more digits"),
        (["x", {"hosts": [1, "\ud800"]}], "$[1].hosts[1]", "half of a surrogate pair"),
        ({"a b": "\ufffe"}, "$['a b']", "U+FFFE"),
        ({None: 1}, "$", "a key of it is null"),
        ({(1, 2): 1}, "$", "a key of it is a tuple"),
        ({"a": 1, PurePosixPath("a"): 2}, "$", "two of its keys"),
        ({"x": iter([1])}, "$.x", "make it a list"),
        ({"x": object()}, "$.x", "a object has no form"),
        ({"x": StrictUndefined()}, "$.x", "StrictUndefined has no form"),
        (timedelta.max, "$", "longer than a .NET TimeSpan"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "$", "outside of the years"),
        (time(1, tzinfo=UTC), "$", "with a zone"),
        (nested(DEEPEST + 1), "$" + "[0]" * DEEPEST, "deeper than 40 levels"),
        (cyclic(), "$.me.again[0]", "holds itself"),
        (PSObject({"x": cyclic()}), "$.x.me.again[0]", "holds itself"),
    ],
)
def test_what_has_no_form_is_refused_by_name(value: Any, path: str, reason: str) -> None:
    """The message says where in the value the trouble is, and what it is."""
    with pytest.raises(NotSendable, match=re.escape(reason)) as refused:
        to_ps(value)

    assert refused.value.path == path
    assert str(refused.value) == f"{path}: {refused.value.reason}"


def test_the_deepest_value_is_sent() -> None:
    """The limit itself is allowed, and a value that is met twice is no cycle."""
    shared = [1]

    assert to_ps(nested(DEEPEST)) == nested(DEEPEST)
    assert to_ps([shared, shared]) == [[1], [1]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, ("x", {"b": Secret("x")})]}, True),
        ([PSObject({"login": PSCredential("u", Secret("p"))})], True),
        ({"a": [1, "text"]}, False),
        (cyclic(), False),
    ],
)
def test_the_need_of_a_key_is_known(value: Any, expected: bool) -> None:
    """A secret is found wherever it stands, and a cycle is no trap."""
    assert holds_secret(value) is expected
