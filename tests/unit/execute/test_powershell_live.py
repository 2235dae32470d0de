"""Live events of a pipeline: masked, coloured, and no more progress than a person can read."""

from __future__ import annotations

import asyncio

from runner.credentials.redact import Redactor
from runner.engine.observe import OutputReceived, ProgressReceived, RunEvent
from runner.execute.powershell.live import LiveProgress, LiveStreams


def streams(*secrets: str) -> tuple[LiveStreams, list[RunEvent]]:
    redactor, events = Redactor(), list[RunEvent]()
    for secret in secrets:
        redactor.add(secret)
    return LiveStreams("step", "host", redactor, events.append), events


def text_of(events: list[RunEvent], stream: str) -> str:
    return "".join(e.text for e in events if isinstance(e, OutputReceived) and e.stream == stream)


def test_line_ends_and_colours() -> None:
    """A text gets its line end unless the script says that the line goes on; the colour goes with it."""
    live, events = streams()
    live.text("information", "a", color="Red", line=False)
    live.text("information", "b")
    live.text("stdout", "c\n")
    live.finish()
    assert events == [
        OutputReceived("step", "host", "information", "a", "Red"),
        OutputReceived("step", "host", "information", "b\n"),
        OutputReceived("step", "host", "stdout", "c\n"),
    ]


def test_secret_in_two_pieces_is_masked() -> None:
    """A secret written by two Write-Host without a line end between them is shown by neither."""
    live, events = streams("s3cr3t-word")
    live.text("information", "is: s3cr3t", line=False)
    live.text("information", "-word.")
    live.text("stdout", "s3cr3t")
    live.finish()
    assert text_of(events, "information") == "is: ********.\n"
    assert text_of(events, "stdout") == "s3cr3t\n"


def progress(activity: str, percent: int | None, *, completed: bool = False) -> ProgressReceived:
    return ProgressReceived("step", "host", activity, percent=percent, completed=completed)


async def test_burst_of_progress_is_thinned_and_ends() -> None:
    """Of a thousand records the first and the newest are told, and the end takes the activity away."""
    events: list[RunEvent] = []
    live = LiveProgress(events.append)
    for percent in range(1000):
        live.add(progress("copy", percent))
    assert events == [progress("copy", 0)]
    async with asyncio.timeout(30):
        while len(events) < 2:
            await asyncio.sleep(0)
    assert events[1] == progress("copy", 999)
    live.finish()
    assert events[2:] == [progress("copy", 999, completed=True)]


async def test_completed_activity_is_told_once() -> None:
    """An activity that the script completes is taken away at once and not again at the end."""
    events: list[RunEvent] = []
    live = LiveProgress(events.append)
    live.add(progress("a", 1))
    live.add(progress("b", 2))
    live.add(progress("a", 50))
    live.add(progress("a", None, completed=True))
    live.finish()
    assert events == [
        progress("a", 1),
        progress("b", 2),
        progress("a", None, completed=True),
        progress("b", 2, completed=True),
    ]
