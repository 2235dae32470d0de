"""What psrpcore read becomes public values, whatever a peer sends."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import psrpcore.types as wire
import pytest

from runner.objects import EnumValue, PSCredential, PSObject
from runner.psrp.from_ps import DEEPEST, from_ps, read_text
from runner.values import Secret
from tests.support.clixml import Reversing, read, server_records, written


def decrypt(value: Any) -> str:
    """As a pool with a key does it."""
    return str(value.decrypt())


def test_secrets_come_back_wrapped() -> None:
    """A SecureString is a Secret and a PSCredential a login, at any depth."""
    sent = read(written({"a": [Secret("hunter2")], "b": PSCredential("ops", Secret("pa ss"))}))

    assert from_ps(sent, decrypt) == {"a": [Secret("hunter2")], "b": PSCredential("ops", Secret("pa ss"))}


def test_a_secret_that_cannot_be_read_is_an_empty_object() -> None:
    """Without a key nothing of it is shown, its cipher text neither."""
    secure = from_ps(read(written(Secret("hunter2"))))
    login = from_ps(read(written(PSCredential("ops", Secret("hunter2")))))

    assert (secure, secure.text) == (PSObject(), "System.Security.SecureString")
    assert login == PSObject({"UserName": "ops", "Password": PSObject()})


def test_a_secret_of_another_key_is_an_empty_object() -> None:
    """What was encrypted with a key that nobody has stands in the output as what it is, and the rest is read."""

    def wrong_key(value: Any) -> str:
        raise ValueError("Invalid padding bytes.")

    found = from_ps(read(written([Secret("hunter2"), 5])), wrong_key)

    assert (found, found[0].text) == ([PSObject(), 5], "System.Security.SecureString")


def test_a_missing_key_is_not_hidden() -> None:
    """What the decryption raises reaches who can exchange a key."""

    def no_key(value: Any) -> str:
        raise LookupError

    with pytest.raises(LookupError):
        from_ps(read(written([Secret("x")])), no_key)


def test_the_extended_property_counts() -> None:
    """Of an adapted and an extended property of one name PowerShell shows the extended one."""
    value = read(
        '<Obj RefId="0"><Props><I32 N="A">1</I32><I32 N="B">2</I32></Props><MS><I32 N="A">3</I32></MS></Obj>'
    )

    assert list(from_ps(value).items()) == [("A", 3), ("B", 2)]


def test_a_type_is_marked_once() -> None:
    """An engine that passes a deserialized object on marks it, and psrpcore does so again."""
    value = read('<Obj RefId="0"><TN RefId="0"><T>Deserialized.My.Type</T><T>System.Object</T></TN></Obj>')

    assert from_ps(value).type_names == ("Deserialized.My.Type", "Deserialized.System.Object")


def test_an_enum_of_another_size_has_its_number() -> None:
    """Enumerations over bytes and longs are enum values too."""
    value = read(
        '<Obj RefId="0"><TN RefId="0"><T>My.Enum</T><T>System.Enum</T><T>System.ValueType</T></TN>'
        "<ToString>Big</ToString><I64>9223372036854775807</I64></Obj>"
    )

    assert (from_ps(value), from_ps(value).number) == ("Big", 2**63 - 1)


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [
        (wire.ConsoleColor.DarkYellow, "DarkYellow", 6),
        (wire.RemoteStreamOptions.none, "None", 0),
        (wire.CommandTypes.Alias | wire.CommandTypes.Function, "Alias, Function", 3),
    ],
)
def test_an_enum_that_psrpcore_knows_is_one_like_the_others(value: Any, text: str, number: int) -> None:
    """Its name is .NET's."""
    found = from_ps(value)

    assert (type(found), str(found), found.number) == (EnumValue, text, number)


def test_an_odd_object_of_a_known_type_stays_an_object() -> None:
    """A DateOnly, a BigInteger or a switch whose properties are not as they should be is no reason to fail."""
    names = ("System.DateTimeOffset", "System.DateOnly", "System.TimeOnly", "System.Numerics.BigInteger")
    for name in (*names, "System.Management.Automation.SwitchParameter"):
        value = read(
            f'<Obj RefId="0"><TN RefId="0"><T>{name}</T></TN><ToString>x</ToString>'
            '<Props><S N="Year">x</S><S N="IsPresent">x</S></Props></Obj>'
        )

        assert type(from_ps(value)) is PSObject
        assert from_ps(value).text == "x"


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("DateOnly", '<I32 N="Year">0</I32><I32 N="Month">13</I32><I32 N="Day">1</I32>'),
        ("DateTimeOffset", '<DT N="DateTime">2026-01-02T03:04:05</DT><TS N="Offset">P2D</TS>'),
        ("TimeOnly", '<I64 N="Ticks">9223372036854775807</I64>'),
    ],
)
def test_numbers_out_of_every_range_are_no_reason_to_fail(name: str, properties: str) -> None:
    """What Python cannot hold stays the object it is."""
    value = read(f'<Obj RefId="0"><TN RefId="0"><T>System.{name}</T></TN><Props>{properties}</Props></Obj>')

    assert type(from_ps(value)) is PSObject


def test_keys_that_python_cannot_hold_stand_as_text() -> None:
    """Numbers stay numbers; an object as a key is its text, or its type's name."""
    value = read(
        '<Obj RefId="0"><DCT><En><I32 N="Key">1</I32><S N="Value">a</S></En>'
        '<En><Obj N="Key" RefId="1"><ToString>o</ToString></Obj><S N="Value">b</S></En>'
        '<En><Obj N="Key" RefId="2"><TN RefId="0"><T>My.Key</T></TN></Obj><Nil N="Value" /></En></DCT></Obj>'
    )

    assert from_ps(value) == {1: "a", "o": "b", "My.Key": None}


def lists(levels: int) -> str:
    """Lists in each other as CLIXML."""
    return '<Obj RefId="0"><LST>' * levels + "<I32>1</I32>" + "</LST></Obj>" * levels


def test_depth_has_an_end() -> None:
    """What is deeper than any engine sends is cut to text, and no recursion fails."""
    value = from_ps(read(lists(DEEPEST + 20)))
    for _ in range(DEEPEST):
        (value,) = value

    assert isinstance(value, str)


def test_references_without_end_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes can refer to each other a million times; beyond a number they become text."""
    monkeypatch.setattr("runner.psrp.from_ps.MOST_CONTAINERS", 1000)
    rounds = 16
    inner = '<Obj RefId="0"><LST /></Obj>'
    for number in range(1, rounds):
        inner = f'<Obj RefId="{number}"><LST>{inner}<Ref RefId="{number - 1}" /></LST></Obj>'

    value, lists_read = [from_ps(read(inner))], 0
    while value:
        found = value.pop()
        lists_read += isinstance(found, list)
        value += found if isinstance(found, list) else []

    assert lists_read == 1000


def test_a_record_as_output_has_its_message_as_text() -> None:
    """What `3>&1` puts among the output is a record, and its text the message."""
    sent = wire.serialize(wire.WarningRecord(Message="low disk"), Reversing())

    assert from_ps(wire.deserialize(sent, Reversing())).text == "low disk"


def test_an_ordered_dictionary_is_one() -> None:
    """Sent back, it is an OrderedDictionary again."""
    assert type(from_ps(read(written(OrderedDict(b=1, a=2))))) is OrderedDict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("x", "x"),
        (5, "5"),
        ([1], "System.Collections.ArrayList"),
        ({"a": 1}, "System.Collections.Hashtable"),
        (PSObject({"a": 1}, text="t"), "t"),
        (PSObject({"a": 1}), None),
    ],
)
def test_the_text_of_a_value(value: Any, text: str | None) -> None:
    """What stands for a value in one line."""
    assert read_text(read(written(value))) == text


def test_everything_that_was_recorded_is_read() -> None:
    """Error records as output, and whatever else the recordings hold, become public values."""
    records = [from_ps(record) for record in server_records("23-throw", "ErrorRecord", "PipelineState")]

    assert {type(record) for record in records} == {PSObject}
    assert records[0].text == "bad"
