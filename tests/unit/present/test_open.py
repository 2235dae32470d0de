"""Which outputs are opened, where they go, and what happens when they cannot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.engine.observe import RunEvent
from runner.errors import ExitCode, UsageError
from runner.present.group import Presenters
from runner.present.open import open_presenters, parse_output
from runner.present.sink import OutputClosed, OutputNotWritten, StreamSink
from runner.present.terminal import Screen
from tests.support.fake_runs import ClosedPipe, Pipe, Terminal, events_of, failed, keep, ok

RESULTS = [ok("facts", "web1", ["hello ✓"]), failed("restart", "web1")]


def screen(stdout: Pipe | Terminal | None = None, **environ: str) -> Screen:
    """Two streams and an environment."""
    return Screen(stdout=stdout if stdout is not None else Pipe(), stderr=Pipe(), environ=environ)


def show(outputs: list[str], on: Screen) -> None:
    """Show a whole run."""
    presenters = open_presenters(outputs, screen=on, mask=keep)
    for event in events_of(RESULTS):
        presenters.on_event(event)
    presenters.close()


def text(stream: object) -> str:
    """What a stream took."""
    assert isinstance(stream, Pipe | Terminal)
    return stream.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    """Without a terminal and without a wish the output is for grep."""
    on = screen()
    show([], on)
    assert text(on.stdout) == "facts web1 | hello ✓\n"


@pytest.mark.parametrize(
    ("outputs", "begins"), [([], "facts web1 | "), (["json"], '{"run": '), (["jsonl"], '{"event": ')]
)
def test_results_in_a_pipe_leave_the_report_on_the_terminal(outputs: list[str], begins: str) -> None:
    """A person who redirects results still sees how the run goes, and nothing of it gets into the results."""
    on = Screen(stdout=Pipe(), stderr=Terminal(), environ={"TERM": "xterm", "NO_COLOR": "1"})
    show(outputs, on)
    assert text(on.stdout).startswith(begins)
    assert "\x1b" not in text(on.stdout)
    assert "✓ facts  1 ok" in text(on.stderr)
    assert text(on.stderr).count("✗ restart failed (exit 5) on web1") == 2
    assert "hello" not in text(on.stderr)


def test_quiet_stays_quiet_on_a_terminal() -> None:
    """Nothing but failures, also where a live view could be drawn."""
    on = Screen(stdout=Pipe(), stderr=Terminal(), environ={"TERM": "xterm", "NO_COLOR": "1"})
    show(["quiet"], on)
    assert text(on.stdout) == ""
    assert text(on.stderr).startswith("✗ restart failed (exit 5) on web1\n")


def test_several_outputs_at_once(tmp_path: Path) -> None:
    """The screen goes on as ever while files are written beside it."""
    on = screen()
    show([f"json={tmp_path}/out.json", f"jsonl={tmp_path}/out.jsonl", f"plain={tmp_path}/out.txt"], on)
    assert text(on.stdout) == "facts web1 | hello ✓\n"
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [result["status"] for result in document["results"]] == ["ok", "failed"]
    last = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["event"] == "run_ended"
    everything = (tmp_path / "out.txt").read_text(encoding="utf-8")
    assert "facts web1 | hello ✓\n" in everything
    assert "exit 1" in everything
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.jsonl", "out.txt"]


def test_a_json_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    """A run that broke off leaves the last good document, and nothing else."""
    path = tmp_path / "out.json"
    path.write_text("the last one", encoding="utf-8")
    presenters = open_presenters([f"json={path}"], screen=screen(), mask=keep)
    for event in events_of(RESULTS)[:-1]:
        presenters.on_event(event)
    assert path.read_text(encoding="utf-8") == "the last one"
    presenters.close()
    assert path.read_text(encoding="utf-8") == "the last one"
    assert [found.name for found in tmp_path.iterdir()] == ["out.json"]


def test_a_pipe_or_device_that_is_named_stays_what_it_is(tmp_path: Path) -> None:
    """`-o json=/dev/null` as root must not put a file in the place of the device."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        show([f"json={path}"], screen())
        document = json.loads(os.read(reader, 1 << 20))
    finally:
        os.close(reader)
    assert len(document["results"]) == len(RESULTS)
    assert path.is_fifo()
    assert [found.name for found in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        (["yaml"], "unknown-output-format"),
        (["jsnl"], "unknown-output-format"),
        (["junit=x.xml"], "output-format-later"),
        (["json="], "output-without-file"),
        (["json", "jsonl"], "output-twice"),
        (["json=a", "jsonl=./a"], "output-twice"),
    ],
)
def test_wrong_outputs_are_refused(outputs: list[str], code: str) -> None:
    """With a code, and a hint that says what to type."""
    with pytest.raises(UsageError) as caught:
        open_presenters(outputs, screen=screen(), mask=keep)
    assert caught.value.code == code
    assert caught.value.hints
    assert caught.value.exit_code is ExitCode.REFUSED


def test_a_near_name_is_suggested() -> None:
    """A typing mistake is met with the right word."""
    with pytest.raises(UsageError) as caught:
        parse_output("jsnl")
    assert caught.value.hints == ("did you mean `jsonl`?",)


def test_a_file_that_cannot_be_written_refuses_the_run(tmp_path: Path) -> None:
    """Before anything runs, with what was opened before it left as it was."""
    with pytest.raises(OutputNotWritten) as caught:
        open_presenters([f"json={tmp_path}/a.json", f"json={tmp_path}/no/b.json"], screen=screen(), mask=keep)
    assert (
        caught.value.message
        == f"cannot write the output to `{tmp_path}/no/b.json`: No such file or directory"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("outputs", [["plain"], ["rich"], ["jsonl"], ["json"]])
def test_a_reader_that_went_away_stops_the_run_and_nothing_else(outputs: list[str], tmp_path: Path) -> None:
    """No event raises, who is to stop the run is told once, files are whole, and the end tells exit code 141."""
    told: list[str] = []
    presenters = open_presenters(
        [*outputs, f"jsonl={tmp_path}/all.jsonl"],
        screen=screen(ClosedPipe()),
        mask=keep,
        on_closed=lambda: told.append("closed"),
    )
    for event in events_of(RESULTS):
        presenters.on_event(event)
    with pytest.raises(OutputClosed) as caught:
        presenters.close()
    assert caught.value.exit_code is ExitCode.CLOSED_OUTPUT
    assert told == ["closed"]
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == len(events_of(RESULTS))


def test_the_report_is_told_though_nobody_reads_the_results() -> None:
    """Standard error is another stream: how it ended, and what may still run, is told there."""
    on = screen(ClosedPipe())
    presenters = open_presenters([], screen=on, mask=keep)
    for event in events_of(RESULTS, stopped="the reader of the output is gone"):
        presenters.on_event(event)
    with pytest.raises(OutputClosed):
        presenters.close()
    assert "stopped: the reader of the output is gone\n" in text(on.stderr)


class Broken:
    """A presenter with a bug."""

    def on_event(self, event: RunEvent) -> None:
        """Fail."""
        raise ZeroDivisionError

    def close(self) -> None:
        """Nothing to do."""


def test_a_bug_of_ours_does_not_stop_the_run_and_is_told() -> None:
    """The run goes on, and the end raises what happened."""
    presenters = Presenters([Broken()])
    for event in events_of(RESULTS):
        presenters.on_event(event)
    with pytest.raises(ZeroDivisionError):
        presenters.close()


def test_an_ascii_stream_gets_ascii() -> None:
    """A log with another encoding loses no line and no JSON is broken."""

    class Ascii(Pipe):
        encoding = "ascii"

    for outputs, expected in ((["plain"], "facts web1 | hello \\u2713\n"), (["jsonl"], '"hello \\u2713"')):
        out = Ascii()
        show(outputs, screen(out))
        assert expected in out.getvalue()
        assert out.getvalue().isascii()


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Pipe(), {"TERM": "xterm"}, False),
        (Pipe(), {"FORCE_COLOR": "1"}, True),
        (Pipe(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_follow_the_conventions(
    stream: Pipe | Terminal, environ: dict[str, str], *, coloured: bool
) -> None:
    """NO_COLOR wins, FORCE_COLOR helps pipes, a dumb terminal gets none."""
    assert screen(stream, **environ).colour(stream) is coloured


def test_no_color_the_option_wins() -> None:
    """--no-color needs no variable."""
    assert not Screen(stdout=Terminal(), stderr=Pipe(), environ={"FORCE_COLOR": "1"}, no_color=True).colour(
        Terminal()
    )


def test_a_closed_stream_is_a_reader_that_went_away() -> None:
    """Python closes streams in its own ways; for us they are one."""
    stream = Pipe()
    stream.close()
    with pytest.raises(OutputClosed):
        StreamSink(stream).write("text")
