"""Every value of the corpus, as a real engine serialised it, becomes what the table says: value, type and text."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from psrpcore.types import deserialize_clixml

from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSObject, ticks_of
from runner.psrp.from_ps import from_ps
from tests.support.clixml import RECORDINGS, Reversing


class Part(PSObject):
    """Some of an object's properties."""


def thing(name: str, properties: Mapping[str, Any], text: str | None = None) -> PSObject:
    """An object of a type, with exactly these properties."""
    return PSObject(properties, type_names=(name,), text=text)


def part(name: str, properties: Mapping[str, Any], text: str | None = None) -> PSObject:
    """An object of a type, with these properties among others."""
    return Part(properties, type_names=(name,), text=text)


def facts(value: Any) -> Any:
    """All that must be equal, types included, as plain lists."""
    if isinstance(value, PSObject):
        name = value.type_names[0].partition("[[")[0]
        return ["object", name, value.text, [[key, facts(item)] for key, item in value.items()]]
    if isinstance(value, dict):
        return [type(value), [[facts(key), facts(item)] for key, item in value.items()]]
    if isinstance(value, list):
        return [type(value), [facts(item) for item in value]]
    if isinstance(value, EnumValue):
        return [EnumValue, str(value), value.number]
    if isinstance(value, datetime):
        return [type(value), value.isoformat()]
    return [type(value), ticks_of(value) if isinstance(value, timedelta) else repr(value)]


# In the order of the corpus; some expressions stand in it twice.
EXPECTED: list[tuple[str, Any]] = [
    ("$null", None),
    ("$true", True),
    ("''", ""),
    ("'text'", "text"),
    ("'ä€😀'", "ä€😀"),
    ('"a`0b`u{1}`u{1f}`r`n`t"', "a\x00b\x01\x1f\r\n\t"),
    ("'_x000A_ _x_'", "_x000A_ _x_"),
    ("'_x000A_ _x_'", "_x000A_ _x_"),
    ("'<a href=\"x\">&amp;'", '<a href="x">&amp;'),
    ("[char]0x41", "A"),
    ("[char]0xD800", "\ud800"),
    ("[byte]255", 255),
    ("[sbyte]-1", -1),
    ("[int16]-2", -2),
    ("[uint16]65535", 65535),
    ("42", 42),
    ("-2147483648", -2147483648),
    ("[uint32]::MaxValue", 4294967295),
    ("[int64]::MaxValue", 9223372036854775807),
    ("[uint64]::MaxValue", 18446744073709551615),
    ("1.5", 1.5),
    ("[single]0.1", 0.1),
    ("[double]::NaN", float("nan")),
    ("[double]::NegativeInfinity", float("-inf")),
    ("[double]::Epsilon", 5e-324),
    ("1.10d", Decimal("1.10")),
    ("[decimal]::MaxValue", Decimal(79228162514264337593543950335)),
    ("[bigint]::Pow(2, 100)", 1267650600228229401496703205376),
    (
        "[datetime]::new(2026,1,2,3,4,5,6,[DateTimeKind]::Utc)",
        datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC),
    ),
    ("[datetime]::new(2026,1,2,3,4,5,[DateTimeKind]::Local)", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("[datetime]::new(2026,1,2)", datetime(2026, 1, 2)),  # noqa: DTZ001 - without a zone
    ("[datetime]::MinValue", datetime(1, 1, 1)),  # noqa: DTZ001 - without a zone
    ("[datetime]::MaxValue", PreciseDatetime(9999, 12, 31, 23, 59, 59, 999999, tick=9)),
    (
        "[datetimeoffset]::new(2026,1,2,3,4,5,[timespan]::FromHours(-3.5))",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(days=-1, seconds=73800))),
    ),
    ("[dateonly]::new(2026,1,2)", date(2026, 1, 2)),
    ("[timeonly]::new(3,4,5)", time(3, 4, 5)),
    ("[timespan]::Zero", timedelta(0)),
    ("[timespan]::FromSeconds(10)", timedelta(seconds=10)),
    ("[timespan]::FromTicks(1)", PreciseTimedelta(0, 0, 0, tick=1)),
    ("[timespan]::FromDays(-1.5)", timedelta(days=-2, seconds=43200)),
    ("[timespan]::MaxValue", PreciseTimedelta(10675199, 10085, 477580, tick=7)),
    ('[guid]"12345678-1234-5678-1234-567812345678"', UUID("12345678-1234-5678-1234-567812345678")),
    ('[uri]"https://a.example/b?c=d#e"', "https://a.example/b?c=d#e"),
    ('[version]"1.2.3.4"', "1.2.3.4"),
    ('[version]"1.2"', "1.2"),
    (
        '[semver]"1.2.3-rc.1"',
        thing(
            "Deserialized.System.Management.Automation.SemanticVersion",
            {"Major": 1, "Minor": 2, "Patch": 3, "PreReleaseLabel": "rc.1", "BuildLabel": None},
            "1.2.3-rc.1",
        ),
    ),
    ("[xml]\"<a b='c'><d/></a>\"", '<a b="c"><d /></a>'),
    ("{ param($x) $x + 1 }", " param($x) $x + 1 "),
    (
        '[regex]"a.b"',
        thing(
            "Deserialized.System.Text.RegularExpressions.Regex",
            {
                "Options": EnumValue("None", 0),
                "RightToLeft": False,
                "MatchTimeout": timedelta(days=-1, seconds=86399, microseconds=999000),
            },
            "a.b",
        ),
    ),
    (
        '[ipaddress]"::1"',
        thing(
            "Deserialized.System.Net.IPAddress",
            {
                "AddressFamily": "InterNetworkV6",
                "ScopeId": 0,
                "IsIPv6Multicast": False,
                "IsIPv6LinkLocal": False,
                "IsIPv6SiteLocal": False,
                "IsIPv6Teredo": False,
                "IsIPv6UniqueLocal": False,
                "IsIPv4MappedToIPv6": False,
                "IPAddressToString": "::1",
            },
            "::1",
        ),
    ),
    (
        '[mailaddress]"a@b.example"',
        thing(
            "Deserialized.System.Net.Mail.MailAddress",
            {"DisplayName": "", "User": "a", "Host": "b.example", "Address": "a@b.example"},
            "a@b.example",
        ),
    ),
    ("[DayOfWeek]::Friday", EnumValue("Friday", 5)),
    ('[System.IO.FileAttributes]"ReadOnly, Hidden"', EnumValue("ReadOnly, Hidden", 3)),
    ("[ConsoleColor]::Red", EnumValue("Red", 12)),
    (",@()", []),
    (",@(1)", [1]),
    (',(1,"two",$null,3.5)', [1, "two", None, 3.5]),
    (",(,(1,2))", [[1, 2]]),
    (",[int[]](1,2,3)", [1, 2, 3]),
    (",[byte[]](0,1,255)", b"\x00\x01\xff"),
    (',[string[]]("a","b")', ["a", "b"]),
    (",[object[,]]::new(2,2)", [None, None, None, None]),
    (',[System.Collections.Generic.List[string]]("a","b")', ["a", "b"]),
    (",[System.Collections.ArrayList](1,2)", [1, 2]),
    (",[System.Collections.Queue]::new(@(1,2))", [1, 2]),
    (",[System.Collections.Stack]::new(@(1,2))", [2, 1]),
    (",[System.Collections.Generic.HashSet[int]](1,2)", [1, 2]),
    ("@{}", {}),
    ("@{a=1}", {"a": 1}),
    ('@{1="one"}', {1: "one"}),
    ("[ordered]@{z=1;a=@{b=2};m=@(1,2)}", OrderedDict({"z": 1, "a": {"b": 2}, "m": [1, 2]})),
    ("[System.Collections.Generic.Dictionary[string,int]]::new()", {}),
    ("[hashtable]::new([StringComparer]::Ordinal)", {}),
    ("@{a=@{b=@{c=@{d=1}}}}", {"a": {"b": {"c": {"d": 1}}}}),
    ("[pscustomobject]@{}", thing("System.Management.Automation.PSCustomObject", {})),
    (
        '[pscustomobject]@{Name="n";Size=5;Tags=@("a","b");Nested=[pscustomobject]@{x=1;y=[pscustomobject]@{z=2}}}',
        thing(
            "System.Management.Automation.PSCustomObject",
            {
                "Name": "n",
                "Size": 5,
                "Tags": ["a", "b"],
                "Nested": thing(
                    "System.Management.Automation.PSCustomObject",
                    {"x": 1, "y": thing("System.Management.Automation.PSCustomObject", {"z": 2})},
                ),
            },
        ),
    ),
    ('[pscustomobject]@{PSTypeName="My.Type";A=1}', thing("Deserialized.My.Type", {"A": 1})),
    (
        "$o=[pscustomobject]@{A=1}; $o | Add-Member -PassThru ScriptProperty B { $this.A + 1 }",
        thing("System.Management.Automation.PSCustomObject", {"A": 1, "B": 2}),
    ),
    ('5 | Add-Member -PassThru NoteProperty Note "n"', 5),
    ('"s" | Add-Member -PassThru NoteProperty Note "n"', "s"),
    (
        "$a=[pscustomobject]@{Self=$null}; $a.Self=$a; $a",
        thing(
            "System.Management.Automation.PSCustomObject",
            {"Self": "System.Management.Automation.PSCustomObject"},
        ),
    ),
    ("$h=@{}; $h.me=$h; $h", {"me": "System.Collections.Hashtable"}),
    (
        "Get-Item /",
        part(
            "Deserialized.System.IO.DirectoryInfo",
            {
                "Name": "/",
                "Parent": None,
                "FullName": "/",
                "CreationTimeUtc": PreciseDatetime(2026, 11, 21, 7, 12, 30, 181710, tzinfo=UTC, tick=4),
                "UnixFileMode": EnumValue(
                    "OtherExecute, OtherRead, GroupExecute, GroupRead, UserExecute, UserWrite, UserRead", 493
                ),
                "Mode": "d-r--",
                "UnixMode": "drwxr-xr-x",
                "Target": None,
            },
            "/",
        ),
    ),
    (
        "Get-Item /etc/passwd | Select-Object Name, Length",
        thing("Deserialized.Selected.System.IO.FileInfo", {"Name": "passwd", "Length": 1306}),
    ),
    ("(Get-Process -Id $PID).MainModule.ModuleName", "pwsh"),
    (
        "Get-Culture",
        thing(
            "Deserialized.System.Globalization.CultureInfo",
            {
                "LCID": 1033,
                "Name": "en-US",
                "DisplayName": "English (United States)",
                "IetfLanguageTag": "en-US",
                "ThreeLetterISOLanguageName": "eng",
                "ThreeLetterWindowsLanguageName": "ENU",
                "TwoLetterISOLanguageName": "en",
            },
            "en-US",
        ),
    ),
    (
        '[System.Management.Automation.ErrorRecord]::new([Exception]"m","id","NotSpecified",$null)',
        thing(
            "System.Management.Automation.ErrorRecord",
            {
                "Exception": thing(
                    "System.Exception",
                    {
                        "Message": "m",
                        "Data": {},
                        "HelpLink": None,
                        "HResult": -2146233088,
                        "InnerException": None,
                        "Source": None,
                        "StackTrace": None,
                        "TargetSite": None,
                        "SerializedRemoteInvocationInfo": None,
                    },
                    "System.Exception: m",
                ),
                "CategoryInfo": thing(
                    "System.Management.Automation.ErrorCategoryInfo",
                    {
                        "Category": EnumValue("NotSpecified", 0),
                        "Activity": "",
                        "Reason": "Exception",
                        "TargetName": "",
                        "TargetType": "",
                    },
                    "NotSpecified: (:) [], Exception",
                ),
                "TargetObject": None,
                "FullyQualifiedErrorId": "id",
                "InvocationInfo": None,
                "ErrorDetails": None,
                "PipelineIterationInfo": None,
                "ScriptStackTrace": None,
            },
            "m",
        ),
    ),
    (
        '[Exception]::new("outer",[Exception]::new("inner"))',
        thing(
            "System.Exception",
            {
                "Message": "outer",
                "Data": {},
                "HelpLink": None,
                "HResult": -2146233088,
                "InnerException": thing(
                    "System.Exception",
                    {
                        "Message": "inner",
                        "Data": {},
                        "HelpLink": None,
                        "HResult": -2146233088,
                        "InnerException": None,
                        "Source": None,
                        "StackTrace": None,
                        "TargetSite": None,
                    },
                    "System.Exception: inner",
                ),
                "Source": None,
                "StackTrace": None,
                "TargetSite": None,
            },
            "System.Exception: outer\n ---> System.Exception: inner\n   --- End of inner exception stack trace ---",
        ),
    ),
    (
        '[System.Collections.DictionaryEntry]::new("k","v")',
        thing(
            "Deserialized.System.Collections.DictionaryEntry",
            {"Key": "k", "Value": "v", "Name": "k"},
            "[k, v]",
        ),
    ),
    (
        '[System.Collections.Generic.KeyValuePair[string,int]]::new("k",1)',
        thing("Deserialized.System.Collections.Generic.KeyValuePair`2", {"Key": "k", "Value": 1}, "[k, 1]"),
    ),
    (
        '[tuple]::Create(1,"a")',
        thing("Deserialized.System.Tuple`2", {"Item1": 1, "Item2": "a", "Length": 2}, "(1, a)"),
    ),
    ("[System.Nullable[int]]5", 5),
    ("[DBNull]::Value", thing("Deserialized.System.DBNull", {}, "")),
    ("[System.Management.Automation.Internal.AutomationNull]::Value", None),
    ("[switch]$true", True),
    (
        '[System.Text.StringBuilder]"abc"',
        thing(
            "Deserialized.System.Text.StringBuilder",
            {"Capacity": 16, "MaxCapacity": 2147483647, "Length": 3},
            "abc",
        ),
    ),
    ('[System.Net.NetworkCredential]::new("u","p").UserName', "u"),
    (
        '[System.Globalization.CultureInfo]"de-DE"',
        thing(
            "Deserialized.System.Globalization.CultureInfo",
            {
                "LCID": 1031,
                "Name": "de-DE",
                "DisplayName": "German (Germany)",
                "IetfLanguageTag": "de-DE",
                "ThreeLetterISOLanguageName": "deu",
                "ThreeLetterWindowsLanguageName": "DEU",
                "TwoLetterISOLanguageName": "de",
            },
            "de-DE",
        ),
    ),
    (
        "[System.Drawing.Color]::Red",
        thing(
            "Deserialized.System.Drawing.Color",
            {
                "R": 255,
                "G": 0,
                "B": 0,
                "A": 255,
                "IsKnownColor": True,
                "IsEmpty": False,
                "IsNamedColor": True,
                "IsSystemColor": False,
                "Name": "Red",
            },
            "Color [Red]",
        ),
    ),
    (
        '[System.IO.FileInfo]"/nope"',
        part(
            "Deserialized.System.IO.FileInfo",
            {
                "Name": "nope",
                "IsReadOnly": True,
                "CreationTime": datetime(1601, 1, 1, 0, 0, tzinfo=UTC),
                "Attributes": EnumValue("-1", -1),
                "LinkType": "SymbolicLink",
                "UnixMode": "",
                "User": "",
            },
            "/nope",
        ),
    ),
    (
        '"x" * 100',
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ),
]
CORPUS = json.loads((RECORDINGS / "clixml-corpus.json").read_text(encoding="utf-8"))


def test_every_value_of_the_corpus_is_expected() -> None:
    """None is left out."""
    assert [entry["expression"] for entry in CORPUS] == [expression for expression, _ in EXPECTED]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [(entry, expected) for entry, (_, expected) in zip(CORPUS, EXPECTED, strict=True)],
    ids=[f"{number}" for number in range(len(CORPUS))],
)
def test_a_value_is_what_the_table_says(entry: Mapping[str, str], expected: Any) -> None:
    """Its public value has the type of the table, and no class of psrpcore is in it."""
    (sent,) = deserialize_clixml(entry["clixml"], Reversing())
    value = from_ps(sent)
    if isinstance(expected, Part):
        value = PSObject({key: value[key] for key in expected}, type_names=value.type_names, text=value.text)

    assert facts(value) == facts(expected)
    assert_public(value)


def assert_public(value: Any) -> None:
    """No class of the library is anywhere in it."""
    assert not type(value).__module__.startswith("psrpcore")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_public(item)
