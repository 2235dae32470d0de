"""Records of a real engine as a run keeps them."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from runner.engine.result import ErrorRecord
from runner.psrp.records import HostText, error_record, host_text, is_for_host, stream_record, write_host
from runner.psrp.request import RecordKind
from runner.psrp.streams import StreamKeeper
from tests.support.clixml import read, server_records

ERRORS = ("ErrorRecord", "PipelineState")


def errors(recording: str) -> list[ErrorRecord]:
    """All errors of a recording, those of failed pipelines too."""
    return [error_record(record) for record in server_records(recording, *ERRORS)]


def test_an_error_is_kept_whole() -> None:
    """Message, id, category, types, target, place and its picture, stack."""
    assert errors("22-error")[0] == ErrorRecord(
        message="Cannot find path '/nope' because it does not exist.",
        fully_qualified_error_id="PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand",
        category="ObjectNotFound: (/nope:String) [Get-Item], ItemNotFoundException",
        exception=(
            "System.Management.Automation.ItemNotFoundException",
            "System.Management.Automation.SessionStateException",
            "System.Management.Automation.RuntimeException",
            "System.SystemException",
            "System.Exception",
        ),
        line=1,
        column=1,
        stack="at <ScriptBlock>, <No file>: line 1",
        target="/nope",
        position="At line:1 char:1\n+ Get-Item /nope\n+ ~~~~~~~~~~~~~~",
    )


def test_write_error_has_the_line_of_its_stack() -> None:
    """It has no position of its own; what its author recommends is kept."""
    (error,) = errors("21-streams")

    assert (error.message, error.line, error.column, error.position) == ("e", 4, None, None)
    assert (error.target, error.recommended_action) == ("5", "do this")
    assert error.category == "ResourceBusy: (5:Int32) [Write-Error], WriteErrorException"


def test_the_line_of_a_throw_is_its_own() -> None:
    """Not that of the call, which is the stack's last frame."""
    deep = next(error for error in errors("23-throw") if error.message == "deep")

    assert (deep.line, deep.column) == (1, 14)
    assert deep.stack == "at f, <No file>: line 1\nat <ScriptBlock>, <No file>: line 3"


def test_inner_exceptions_are_told_with_type_and_message() -> None:
    """The outer one first."""
    cast = next(error for error in errors("23-throw") if error.message.startswith("Cannot convert"))

    assert [inner.partition(":")[0] for inner in cast.inner] == [
        "System.Management.Automation.PSInvalidCastException",
        "System.FormatException",
    ]
    assert errors("49-exceptions")[0].inner == ("System.Management.Automation.RuntimeException: inner",)


def test_details_come_before_the_exception() -> None:
    """What a script put into ErrorDetails is what a person reads."""
    assert [error.message for error in errors("49-exceptions")][-1] == "details"


def test_an_error_without_a_place_has_none() -> None:
    """A parse error and a stop have no position at all."""
    (error,) = errors("25-parse-error")

    assert (error.line, error.column, error.stack, error.position) == (None, None, None, None)
    assert error.category == "ParserError: (:) [], IncompleteParseException"


def place_of(**fields: str) -> ErrorRecord:
    """An error whose position is of these fields, with a stack that passes through the script."""
    properties = "".join(f'<{text} N="{name}">{value}</{text}>' for name, (text, value) in _typed(fields))
    record: Any = read(
        '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T></TN><MS>'
        '<Obj N="Exception" RefId="1"><TN RefId="1"><T>My.Error</T></TN><ToString>My.Error: told</ToString></Obj>'
        '<Nil N="TargetObject" /><Nil N="FullyQualifiedErrorId" />'
        f'<Obj N="InvocationInfo" RefId="2"><Props>{properties}</Props></Obj>'
        '<I32 N="ErrorCategory_Category">0</I32><S N="ErrorCategory_Activity" /><S N="ErrorCategory_Reason" />'
        '<S N="ErrorCategory_TargetName" /><S N="ErrorCategory_TargetType" /><S N="ErrorCategory_Message" />'
        '<B N="SerializeExtendedInfo">false</B><S N="ErrorDetails_ScriptStackTrace">'
        "at Invoke-It, /opt/it.psm1: line 300_x000A_at &lt;ScriptBlock&gt;, &lt;No file&gt;: line 7</S></MS></Obj>"
    )
    return error_record(record)


def _typed(fields: dict[str, str]) -> list[tuple[str, tuple[str, str]]]:
    return [(name, ("I32" if value.isdigit() else "S", value)) for name, value in fields.items()]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"ScriptLineNumber": "3", "OffsetInLine": "5", "ScriptName": ""}, (3, 5)),
        ({"ScriptLineNumber": "3", "OffsetInLine": "0"}, (3, None)),
        ({"ScriptLineNumber": "300", "OffsetInLine": "5", "ScriptName": "/opt/it.psm1"}, (7, None)),
        ({"ScriptLineNumber": "0", "OffsetInLine": "0"}, (7, None)),
        ({"ScriptLineNumber": "odd"}, (7, None)),
        ({}, (7, None)),
    ],
)
def test_the_line_is_one_of_the_script(fields: dict[str, str], place: tuple[int, int | None]) -> None:
    """An error in a module's file is told at the line of the script that led there."""
    error = place_of(**fields)

    assert (error.line, error.column) == place
    assert (error.message, error.exception) == ("My.Error: told", ("My.Error",))


def kept(recording: str) -> StreamKeeper:
    """All records of a recording but errors, in order."""
    keeper = StreamKeeper()
    for kind in RecordKind:
        if kind is not RecordKind.ERROR:
            for record in server_records(recording, f"{kind.value.capitalize()}Record"):
                keeper.add(kind, record)
    return keeper


def test_streams_are_handy() -> None:
    """Texts for warning, verbose and debug, mappings for the others."""
    streams = kept("21-streams").streams()

    assert (streams.warnings, streams.verbose, streams.debug) == (("w",), ("v",), ("d",))
    host, information = streams.information
    assert (host["message"], host["color"], host["tags"], host["newline"]) == ("h", "Red", ["PSHOST"], False)
    assert (information["message"], information["color"], information["tags"]) == ("i", None, ["a", "b"])
    assert (information["source"], information["time"].tzinfo) == ("Write-Information", UTC)
    assert "data" not in information
    (progress,) = streams.progress
    assert progress == {
        "activity": "p",
        "id": 0,
        "parent": None,
        "status": "Processing",
        "operation": "",
        "percent": None,
        "seconds_left": None,
        "completed": True,
    }


def host_record(message: str, *, newline: bool, color: str = "<Nil N='ForegroundColor' />") -> Any:
    """A record of Write-Host."""
    return read(
        '<Obj RefId="0"><MS><Obj N="MessageData" RefId="1"><TN RefId="0">'
        "<T>System.Management.Automation.HostInformationMessage</T></TN>"
        f'<ToString>{message}</ToString><Props><S N="Message">{message}</S>'
        f'<B N="NoNewLine">{str(not newline).lower()}</B>{color}<Nil N="BackgroundColor" /></Props></Obj>'
        '<S N="Source">Write-Host</S><Nil N="TimeGenerated" /><Obj N="Tags" RefId="2"><LST><S>PSHOST</S></LST></Obj>'
        '<Nil N="User" /><Nil N="Computer" /></MS></Obj>'
    )


def test_pieces_of_a_line_are_one_entry() -> None:
    """Write-Host without a newline is continued by the next one, and by nothing else."""
    keeper = StreamKeeper()
    for text, newline in (("a", False), ("b", False), ("c", True), ("d", True)):
        keeper.add(RecordKind.INFORMATION, host_record(text, newline=newline))

    assert [(entry["message"], entry["newline"]) for entry in keeper.streams().information] == [
        ("abc", True),
        ("d", True),
    ]


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ("<Nil N='ForegroundColor' />", None),
        ("<I32 N='ForegroundColor'>6</I32>", "DarkYellow"),
        ("<I32 N='ForegroundColor'>99</I32>", None),
    ],
)
def test_a_piece_for_the_screen(color: str, name: str | None) -> None:
    """Text, the name of its color, and whether the line ends."""
    record = host_record("x", newline=False, color=color)

    assert write_host(record) == HostText("x", name, newline=False)
    entry = stream_record(RecordKind.INFORMATION, record)
    assert is_for_host(entry)
    assert host_text(entry) == write_host(record)


def test_an_object_as_information_is_kept() -> None:
    """Write-Information takes any object; its text is the message."""
    entry = stream_record(
        RecordKind.INFORMATION,
        read(
            '<Obj RefId="0"><MS><Obj N="MessageData" RefId="1"><ToString>it</ToString><MS><I32 N="A">1</I32></MS></Obj>'
            '<Nil N="Source" /><Nil N="TimeGenerated" /><Nil N="Tags" /><Nil N="User" /><Nil N="Computer" /></MS></Obj>'
        ),
    )

    assert (entry["message"], entry["data"], is_for_host(entry)) == ("it", {"A": 1}, False)


def test_progress_says_what_it_knows() -> None:
    """Unknown numbers are None, and no percentage passes 100."""
    first, *_, last = (
        stream_record(RecordKind.PROGRESS, record)
        for record in server_records("21-streams", "ProgressRecord")
    )

    assert (first["percent"], first["status"], first["completed"]) == (5, "s", False)
    assert last["completed"] is True


def test_an_error_is_no_stream_record() -> None:
    """It is read by its own function."""
    with pytest.raises(ValueError, match="error_record"):
        stream_record(RecordKind.ERROR, None)
