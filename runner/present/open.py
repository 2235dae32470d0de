"""``-o FORMAT`` and ``-o FORMAT=FILE``: which presenters show a run, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.present.group import Presenters
from runner.present.port import Mask, Presenter
from runner.present.sink import FileSink, Nowhere, Sink, StreamSink, WholeFile, WholeStream
from runner.present.terminal import Screen, is_terminal
from runner.problems import suggestion

FORMATS = ("rich", "plain", "json", "jsonl", "quiet")
_LATER_FORMATS = ("junit", "sarif", "github")


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One ``-o``; ``path`` None is standard output."""

    format: str
    path: Path | None = None


def parse_output(text: str) -> OutputSpec:
    """Read the value of one ``-o``.

    Raises:
        UsageError: unknown or later format, or an empty file name.

    """
    name, equals, path = text.partition("=")
    if name in _LATER_FORMATS:
        raise UsageError(
            "output-format-later",
            f"the output format `{name}` is not available yet",
            hints=("use `-o json=FILE` and convert it",),
        )
    if name not in FORMATS:
        raise UsageError(
            "unknown-output-format", f"unknown output format: `{name}`", hints=suggestion(name, FORMATS)
        )
    if equals and not path:
        raise UsageError(
            "output-without-file",
            f"`-o {text}` names no file",
            hints=(f"write `-o {name}=FILE`, or `-o {name}`",),
        )
    return OutputSpec(name, Path(path) if path else None)


def open_presenters(
    outputs: Sequence[str],
    *,
    screen: Screen,
    mask: Mask,
    verbosity: int = 0,
    on_closed: Callable[[], None] | None = None,
    asks: bool = False,
) -> Presenters:
    """Open every output that was asked for.

    Where none goes to standard output, ``rich`` does on a terminal and ``plain`` elsewhere. Where results go to a
    pipe or a file and standard error is a terminal, the live view and the report are shown there all the same.

    Args:
        outputs: values of ``-o`` in their order.
        screen: the process's streams.
        mask: every text passes it.
        verbosity: number of ``-v``.
        on_closed: called once when the reader of an output went away, so that the run can be stopped.
        asks: gates are answered on the terminal; a live view shows the question where there is one.

    Raises:
        UsageError: a wrong value, two outputs for one place.
        OutputNotWritten: a file cannot be opened.

    """
    specs = [parse_output(text) for text in outputs]
    if all(spec.path is not None for spec in specs):
        specs.insert(0, OutputSpec("rich" if is_terminal(screen.stdout) else "plain"))
    _refuse_collisions(specs)
    presenters: list[Presenter] = []
    try:
        for spec in specs:
            presenters += _open(spec, screen, mask, verbosity, asks=asks)
    except UsageError:
        Presenters(presenters).close()
        raise
    return Presenters(presenters, on_closed)


def _refuse_collisions(specs: Sequence[OutputSpec]) -> None:
    places: set[Path | None] = set()
    for spec in specs:
        place = spec.path.absolute() if spec.path else None
        if place in places:
            where = f"`{spec.path}`" if spec.path else "standard output"
            raise UsageError(
                "output-twice",
                f"two outputs go to {where}",
                hints=(f"give one of them a file of its own: `-o {spec.format}=FILE`",),
            )
        places.add(place)


def _open(spec: OutputSpec, screen: Screen, mask: Mask, verbosity: int, *, asks: bool) -> list[Presenter]:
    """The presenters of one output; their modules are loaded here, so that a command pays for what it shows."""
    if spec.format == "rich":
        return [_open_rich(spec, screen, mask, verbosity, asks=asks)]
    # Results that go into a file or a pipe leave the terminal free to tell how the run goes.
    watched = spec.path is None and _only_stderr_is_seen(screen) and spec.format != "quiet"
    report: Sink = Nowhere() if watched else StreamSink(screen.stderr, "standard error")
    presenters = [_open_text(spec, report, screen, mask, verbosity)]
    if watched:
        presenters.append(_open_rich(None, screen, mask, verbosity, asks=asks))
    return presenters


def _open_text(spec: OutputSpec, report: Sink, screen: Screen, mask: Mask, verbosity: int) -> Presenter:
    if spec.format == "json":
        from runner.present.json_document import JsonDocument  # noqa: PLC0415 - loaded when asked for

        whole = _whole_file(spec.path) if spec.path else WholeStream(StreamSink(screen.stdout))
        return JsonDocument(whole, mask, report if spec.path is None else Nowhere())
    output: Sink = FileSink(spec.path) if spec.path else StreamSink(screen.stdout)
    if spec.format == "jsonl":
        from runner.present.jsonl import JsonLines  # noqa: PLC0415 - loaded when asked for

        return JsonLines(output, mask)
    if spec.path is not None:
        report = output
    if spec.format == "quiet":
        from runner.present.quiet import Quiet  # noqa: PLC0415 - loaded when asked for

        return Quiet(report, mask, colour=spec.path is None and screen.colour(screen.stderr))
    from runner.present.plain import Plain  # noqa: PLC0415 - loaded when asked for

    return Plain(output, report, mask, verbosity=verbosity)


def _whole_file(path: Path) -> WholeFile | WholeStream:
    """A file is replaced when the new one is whole; a device or a pipe (``/dev/null``) is written to and stays."""
    special = path.exists() and not path.is_file() and not path.is_dir()
    return WholeStream(FileSink(path)) if special else WholeFile(path)


def _open_rich(
    spec: OutputSpec | None, screen: Screen, mask: Mask, verbosity: int, *, asks: bool
) -> Presenter:
    """The view of one output; without one, only what goes to standard error."""
    from runner.present.rich_view import RichSettings, RichView  # noqa: PLC0415 - loaded when asked for

    on_screen = spec is None or spec.path is None
    settings = RichSettings(
        output_colour=on_screen and screen.colour(screen.stdout),
        report_colour=on_screen and screen.colour(screen.stderr),
        size=screen.size,
        now=screen.now,
        verbosity=verbosity,
        terminal=screen.stderr if on_screen and screen.moves_cursor(screen.stderr) else None,
        asks=asks,
    )
    if spec is None:
        return RichView(None, StreamSink(screen.stderr, "standard error"), mask, settings)
    if spec.path is not None:
        file = FileSink(spec.path)
        return RichView(file, file, mask, settings)
    return RichView(StreamSink(screen.stdout), StreamSink(screen.stderr, "standard error"), mask, settings)


def _only_stderr_is_seen(screen: Screen) -> bool:
    return screen.moves_cursor(screen.stderr) and not is_terminal(screen.stdout)
