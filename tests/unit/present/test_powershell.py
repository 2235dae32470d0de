"""What PowerShell gives as a person sees it: objects, streams, errors, progress; and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    OutputReceived,
    ProgressReceived,
    RunEvent,
    RunStarted,
    StepOutline,
)
from runner.engine.result import ErrorRecord, Failure, Result, Status, Streams
from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSObject
from runner.present.encode import encode_value
from runner.present.encode_events import encode_event
from runner.present.failures import FailureReport
from runner.present.fold_outputs import OutputFold, output_lines
from runner.present.live_view import UNICODE, live_lines
from runner.present.paint import Painter, Role, text_of
from runner.present.plain import Plain
from runner.present.progress import RunProgress
from runner.present.rich_view import RichSettings, RichView
from runner.present.sink import StreamSink
from runner.present.streams import StreamLine
from runner.schema_files import schema_text
from tests.support.fake_runs import BEGIN, RUN, Pipe, Terminal, events_of, keep, mask_hunter, ok

SERVICE = ("Deserialized.System.ServiceProcess.ServiceController", "Deserialized.System.Object")
CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")


def service(name: str, status: str) -> PSObject:
    """A service as Get-Service gives it from far."""
    properties = {"CanStop": True, "DependentServices": [], "DisplayName": name.title(), "MachineName": "."}
    more = {"ServiceName": name, "ServicesDependedOn": [], "ServiceType": "x", "StartType": "y"}
    return PSObject(
        {**properties, **more, "Status": EnumValue(status, 1), "Name": name},
        type_names=SERVICE,
        text=SERVICE[0].removeprefix("Deserialized."),
    )


def wide(types: Sequence[str], count: int = 12) -> PSObject:
    """An object of many properties."""
    return PSObject({f"P{number}": number for number in range(count)}, type_names=tuple(types), text="wide")


def shown(output: Any, *, width: int = 80, **more: Any) -> list[str]:
    """The output of one host as lines."""
    outputs = OutputFold(mask_hunter)
    outputs.add(ok("s", "win01", output, **more))
    return [text_of(pieces).rstrip() for pieces in output_lines(outputs, width, with_hosts=False)]


def written(text: str, color: str | None = None, tags: Sequence[str] = ("PSHOST",)) -> dict[str, Any]:
    """A record of Write-Host, as the streams of a result hold it."""
    fields = {"source": None, "time": None, "user": None, "computer": None, "background": None}
    return {"message": text, "tags": list(tags), "color": color, "newline": True, **fields}


def test_services_have_the_columns_of_powershell() -> None:
    """Status, name and display name of many; what is left out is said once."""
    assert shown([service("spooler", "Running"), service("bits", "Stopped")]) == [
        "Status   Name     DisplayName",
        "Running  spooler  Spooler",
        "Stopped  bits     Bits",
        "... 7 more properties, see `-o json`",
    ]


def test_the_first_properties_of_other_objects_are_shown() -> None:
    """Those of .NET's types are too many for a table; those a script chose are all shown."""
    assert shown([wide(("Deserialized.My.Thing",))])[0].split() == [f"P{number}" for number in range(8)]
    assert shown([wide(("Deserialized.My.Thing",))])[-1] == "... 4 more properties, see `-o json`"
    chosen = shown([wide(("Selected.My.Thing", *CUSTOM))], width=200)
    assert chosen[0].split() == [f"P{number}" for number in range(12)]
    assert len(chosen) == 2


def test_one_property_more_is_one() -> None:
    """Words follow the number."""
    assert shown([wide(("Deserialized.My.Thing",), 9)])[-1] == "... 1 more property, see `-o json`"


def test_cells_are_short() -> None:
    """Nested objects are their text, times whole seconds, names of enums their words, Guids text."""
    row = PSObject(
        {
            "Address": PSObject({"ScopeId": 0}, text="::1"),
            "All": [PSObject({"ScopeId": 0}, text="::1"), "x"],
            "Inner": PSObject({"x": 1}),
            "At": PreciseDatetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC, tick=7),
            "Day": EnumValue("Friday", 5),
        },
        type_names=CUSTOM,
    )

    assert shown([row], width=100) == [
        "Address  All     Inner     At                    Day",
        '::1      ::1, x  {"x": 1}  2026-01-02 03:04:05Z  Friday',
    ]
    assert shown([{"Id": UUID(int=5)}])[1] == "00000000-0000-0000-0000-000000000005"


def test_objects_among_text_are_lists_of_properties() -> None:
    """What no table can hold stands a property a line; an object without properties is its text."""
    output = ["before", PSObject({"Name": "n", "Size": 5}), PSObject(text="::1"), PSObject(), 5]

    assert shown(output) == ["before", "Name  n", "Size  5", "::1", "5"]


def test_records_among_the_output_are_their_text() -> None:
    """Nobody reads an error record as a row of a table."""
    record = PSObject({"A": 1}, type_names=("System.Management.Automation.ErrorRecord",), text="no such file")

    assert shown([record]) == ["no such file"]
    assert plain(events_of([ok("s", "win01", [record])]))[0] == "s win01 | no such file\n"


def test_every_stream_has_its_sign() -> None:
    """What was written for the screen stands as it is, errors of a good result are told, other information is not."""
    streams = Streams(
        warnings=("low disk\x07",),
        verbose=("looking",),
        debug=("x=1",),
        information=(written("All is \x1b[2Jwell hunter2", "Green"), written("kept", None, ("mine",))),
    )
    errors = (ErrorRecord("no such file", line=3), ErrorRecord("gone", source="site.yml:7"))

    assert shown(["out"], streams=streams, errors=errors, stderr=["native"]) == [
        "out",
        "All is ^[[2Jwell ********",
        "! native",
        "! error: no such file (line 3 of the script)",
        "! error: gone (site.yml:7)",
        "! warning: low disk^G",
        "| verbose: looking",
        "| debug: x=1",
    ]


@pytest.mark.parametrize(
    ("stream", "color", "role"),
    [
        ("information", "DarkYellow", Role.CHANGED),
        ("information", "Red", Role.BRIGHT_RED),
        ("information", "NoSuchColor", Role.PLAIN),
        ("information", None, Role.PLAIN),
        ("warning", None, Role.WARNING),
        ("error", None, Role.BAD),
        ("stdout", None, Role.PLAIN),
    ],
)
def test_a_line_has_the_colour_that_was_asked_for(stream: str, color: str | None, role: Role) -> None:
    """Else that of its stream."""
    assert StreamLine(stream, "x", color).piece.role is role


def test_every_console_color_has_a_role() -> None:
    """All sixteen of .NET, White and Black too."""
    names = ("Black", "Blue", "Cyan", "Gray", "Green", "Magenta", "Red", "White", "Yellow")
    dark = [f"Dark{name}" for name in names if name not in {"Black", "White"}]
    roles = {name: StreamLine("error", "x", name).piece.role for name in (*names, *dark)}

    assert len(roles) == 16
    assert Role.BAD not in roles.values()


ERROR = ErrorRecord(
    "Cannot find path '/nope'.",
    fully_qualified_error_id="PathNotFound,GetItemCommand",
    category="ObjectNotFound: (/nope:String) [Get-Item]",
    line=3,
    column=5,
    stack="at Get-It, /opt/it.psm1: line 3\nat <ScriptBlock>, <No file>: line 9",
    inner=("System.FormatException: The input 'x' hunter2.",),
    position="At line:3 char:5\n+     Get-Item /nope\n+     ~~~~~~~~~~~~~~",
    recommended_action="Look again.",
)


def report(*errors: ErrorRecord, message: str = "the script failed") -> list[str]:
    """The report of a host that failed with these errors."""
    failure = Failure("powershell-error", message, "execute", True)
    failures = FailureReport(mask_hunter)
    failures.add(Result(step="s", host="win01", status=Status.FAILED, errors=errors, failure=failure))
    return [text_of(pieces).strip() for pieces in failures.lines()][3:-1]


def test_an_error_is_told_with_all_that_helps() -> None:
    """Place, message, the line with its marks, category, id, cause, calls and advice."""
    assert report(ERROR) == [
        "line 3 of the script: Cannot find path '/nope'.",
        "|     Get-Item /nope",
        "|     ~~~~~~~~~~~~~~",
        "ObjectNotFound: (/nope:String) [Get-Item]",
        "id PathNotFound,GetItemCommand",
        "caused by System.FormatException: The input 'x' ********.",
        "in Get-It line 3 of /opt/it.psm1, called from <ScriptBlock> line 9",
        "hint: Look again.",
    ]


def test_a_message_of_several_lines_keeps_its_margin() -> None:
    """PowerShell's messages have lines; none of them begins where another host's report would."""
    failure = Failure("powershell-failed", "one\ntwo\x1b[31m", "execute", True)
    failures = FailureReport(mask_hunter)
    failures.add(Result(step="s", host="win01", status=Status.FAILED, failure=failure))
    told = [text_of(pieces) for pieces in failures.lines()]
    assert told[1] == "    error[powershell-failed]: one"
    assert told[2].startswith("    two")
    assert "\x1b" not in told[2]


def test_what_the_failure_says_is_not_said_again() -> None:
    """Only the place is added, in the author's own file where it is known."""
    error = ErrorRecord("bad", line=2, source="playbooks/site.yml:17")

    assert report(error, message="the script ended with an error: bad") == ["at playbooks/site.yml:17"]
    assert report(ErrorRecord("bad"), message="the script ended with an error: bad") == []
    assert report(error, message="bad (playbooks/site.yml:17)") == []


def test_a_parse_error_has_its_picture_in_its_message() -> None:
    """It is not drawn a second time."""
    picture = "At line:1 char:4\n+ if (\n+    ~"

    assert report(ErrorRecord(f"{picture}\nMissing.", position=picture)) == [*picture.split("\n"), "Missing."]


def test_deep_calls_are_cut() -> None:
    """A recursion does not fill the screen; one frame says nothing."""
    stack = "\n".join(f"at f{number}, <No file>: line {number}" for number in range(1, 9))

    assert report(ErrorRecord("x", stack=stack))[1:] == [
        "in f1 line 1, called from f2 line 2, called from f3 line 3, called from f4 line 4, called from ..."
    ]
    assert report(ErrorRecord("x", stack="at f, <No file>: line 1")) == ["x"]


def started() -> list[RunEvent]:
    """A step that runs on three hosts."""
    hosts = ("win01", "win02", "win03")
    outline = (StepOutline("copy", None, len(hosts)),)
    begun = [AssignmentStarted("copy", host, BEGIN) for host in hosts]
    return [RunStarted(RUN, "Site", "site.yml", BEGIN, outline, len(hosts)), *begun]


def live(*events: RunEvent) -> list[str]:
    """What the live view says of progress."""
    progress = RunProgress()
    for event in [*started(), *events]:
        progress.on_event(event)
    lines = live_lines(progress, BEGIN, width=80, height=12, glyphs=UNICODE)
    return [text_of(pieces).strip() for pieces in lines[2:-1]]


def test_progress_is_shown_live() -> None:
    """Per host the last that was said, of the hosts that run longest."""
    assert live(
        ProgressReceived("copy", "win01", "Searching"),
        ProgressReceived("copy", "win02", "Copying", "8 of 20", 40, 13),
        ProgressReceived("copy", "win02", "Copying", "9 of\n20\x1b", 45, 72),
        ProgressReceived("copy", "win03", "Third"),
    ) == ["win01: Searching", "win02: Copying 45%, 9 of 20^[, 1m 12s left"]


def test_progress_that_is_over_is_gone() -> None:
    """When its activity is completed, or the host has ended; the end of another activity changes nothing."""
    said = ProgressReceived("copy", "win01", "Copying", percent=5)
    ended = AssignmentEnded(ok("copy", "win01", []), BEGIN)

    assert live(said, ProgressReceived("copy", "win01", "Copying", completed=True)) == []
    assert live(said, ended) == []
    assert live(said, ProgressReceived("copy", "win01", "Other", completed=True)) == ["win01: Copying 5%"]


def test_a_secret_in_progress_is_masked_before_it_is_cut() -> None:
    """Half of a secret at the edge of the screen would be a secret told."""
    terminal = Terminal()
    settings = RichSettings(
        output_colour=False,
        report_colour=False,
        size=lambda: (40, 24),
        now=lambda: BEGIN,
        terminal=terminal,
    )
    view = RichView(None, StreamSink(Pipe()), mask_hunter, settings)
    view.on_event(started()[0])
    for event in started()[1:]:
        view.on_event(event)
    view.on_event(ProgressReceived("copy", "win01", "Copying the word hunter2"))
    # As the drawing thread does it at its next tick.
    view._draw(view._region)  # type: ignore[arg-type]
    view.close()

    assert "Copying the" in terminal.getvalue()
    assert "hunt" not in terminal.getvalue()


def plain(events: list[RunEvent], verbosity: int = 0) -> tuple[str, str]:
    """What a log holds: output and report."""
    output, told = Pipe(), Pipe()
    presenter = Plain(StreamSink(output), StreamSink(told), mask_hunter, verbosity=verbosity)
    for event in events:
        presenter.on_event(event)
    return output.getvalue(), told.getvalue()


def test_a_log_has_a_line_an_object_and_a_stream() -> None:
    """Output on standard output, all that was said beside it in the report, progress not at all."""
    streams = Streams(warnings=("low disk",), information=(written("hello"),))
    result = ok("s", "win01", [service("spooler", "Running"), PSObject(text="::1")], streams=streams)
    output, told = plain(events_of([result]))

    assert output.splitlines() == [
        's win01 | {"Status": "Running", "Name": "spooler", "DisplayName": "Spooler"}',
        "s win01 | ::1",
    ]
    assert told.splitlines()[1:4] == ["s win01 | hello", "s win01 ! warning: low disk", "s win01 ok in 250ms"]
    assert plain([*started(), ProgressReceived("copy", "win01", "Copying")])[1].count("Copying") == 0


def test_a_log_names_the_streams_as_they_come() -> None:
    """Also a last line without a line feed, whatever its stream."""
    events = started()
    for stream, text in (("warning", "low disk\n"), ("information", "a"), ("information", "b\nc")):
        events.append(OutputReceived("copy", "win01", stream, text, "Green"))
    events.append(AssignmentEnded(ok("copy", "win01", []), BEGIN))

    told = plain(events, verbosity=1)[1].splitlines()
    assert [text for text in told if ">" in text] == [
        "copy win01 > warning: low disk",
        "copy win01 > ab",
        "copy win01 > c",
    ]


def test_colours_are_painted() -> None:
    """With the terminal's own sixteen."""
    assert Painter(colour=True).paint((StreamLine("information", "x", "Cyan").piece,)) == "\x1b[96mx\x1b[0m"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (PSObject({"a": PSObject(text="::1")}, text="t"), {"a": "::1"}),
        (PSObject(text="hunter2"), "********"),
        (PSObject(), {}),
        (EnumValue("Friday", 5), "Friday"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("1.10"), "1.10"),
        ({1: "a", datetime(2026, 1, 2, tzinfo=UTC): "b"}, {"1": "a", "2026-01-02T00:00:00Z": "b"}),
        (PreciseDatetime(2026, 1, 2, tzinfo=UTC, tick=7), "2026-01-02T00:00:00.0000007Z"),
        (PreciseTimedelta(seconds=10, tick=1), "PT10.0000001S"),
        (timedelta(seconds=10), "PT10S"),
    ],
)
def test_values_of_powershell_as_json(value: object, encoded: object) -> None:
    """Properties, names, text; seven digits where there are seven."""
    assert encode_value(value, mask_hunter) == encoded


@pytest.mark.parametrize(
    "event",
    [
        ProgressReceived("copy", "win01", "Copying", "9 of 20", 45, 12),
        ProgressReceived("copy", "win01", "Copying", completed=True),
        OutputReceived("copy", "win01", "information", "hello\n", "DarkYellow"),
        OutputReceived("copy", "win01", "verbose", "hello\n"),
        AssignmentEnded(
            ok(
                "copy",
                "win01",
                [service("spooler", "Running")],
                errors=(ERROR,),
                streams=Streams(
                    warnings=("w",),
                    information=(written("hello", "Red"), {**written("x"), "data": PSObject({"a": 1})}),
                    progress=(
                        {
                            "activity": "Copying",
                            "id": 0,
                            "parent": None,
                            "status": "",
                            "operation": "",
                            "percent": 45,
                            "seconds_left": None,
                            "completed": False,
                        },
                    ),
                ),
            ),
            BEGIN,
        ),
    ],
)
def test_events_of_powershell_hold_to_the_schema(event: RunEvent) -> None:
    """Each kind is a line that its readers know."""
    document = json.loads(json.dumps(encode_event(RUN, event, keep)))

    Draft202012Validator(json.loads(schema_text("events"))).validate(document)
