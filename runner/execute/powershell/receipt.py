"""What one pipeline sends, taken as it comes: outputs, errors and records in order, shown live, bounded in memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runner.engine.observe import ProgressReceived
from runner.engine.result import ErrorRecord, Streams
from runner.execute.powershell.live import LiveProgress, LiveStreams
from runner.execute.powershell.output import PipelineOutput
from runner.execute.powershell.text import text_of
from runner.execute.site import Site
from runner.objects import PSObject
from runner.playbook.model import OutputFormat
from runner.psrp.from_ps import from_ps
from runner.psrp.records import error_record, host_text, stream_record
from runner.psrp.request import PipelineEnd, RecordKind
from runner.psrp.streams import StreamKeeper

MOST_RECORDS = 10_000
"""Records of one stream that are kept; scripts that write more in a loop say nothing new."""

_FORMAT_TYPE = "Microsoft.PowerShell.Commands.Internal.Format."
_FORMAT_COMMAND = re.compile(
    r"(?<![\w-])(Format-(?:Table|List|Wide|Custom)|ft|fl|fw|fc)(?![\w-])", re.IGNORECASE
)


class Receipt:
    """The results of one pipeline; a :class:`runner.psrp.request.PipelineReceiver`.

    ``script`` is the author's text, to name what stands in it; ``decrypt`` reads secure strings of this pool.
    ``errors`` are in the order they came, that of a failed pipeline last.
    """

    def __init__(self, site: Site, script: str, decrypt: Callable[[Any], str]) -> None:
        services, step = site.services, site.planned.step
        self._script = script
        self._redactor = services.redactor
        self._raw_decrypt = decrypt
        self._where = (step.id, site.placement.host)
        self._live = LiveStreams(*self._where, services.redactor, services.observer.on_event)
        self._progress = LiveProgress(services.observer.on_event)
        self._keeper = StreamKeeper()
        self._counts: Counter[RecordKind] = Counter()
        self._warnings: list[str] = []
        self._formatted = 0
        self._finished = False
        self.errors: list[ErrorRecord] = []
        self.output = PipelineOutput(step.output or OutputFormat.OBJECTS, services.redactor, site.spool)

    @property
    def streams(self) -> Streams:
        """The records that are no errors, and behind the host's warnings our own."""
        streams = self._keeper.streams()
        return replace(streams, warnings=(*streams.warnings, *self._warnings))

    def output_received(self, value: Any) -> None:
        """Take an output; drawing instructions of ``Format-Table`` and its kin are counted, and no data."""
        found = from_ps(value, self._decrypt)
        if isinstance(found, PSObject) and _is_formatted(found):
            self._formatted += 1
            return
        self.output.add(found)
        self._live.text("stdout", text_of(found))

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """Take a record."""
        self._counts[kind] += 1
        room = self._counts[kind] <= MOST_RECORDS
        if kind is RecordKind.ERROR:
            error = error_record(record)
            if room:
                self.errors.append(error)
            self._live.text("error", error.message)
            return
        keeps = room or kind is RecordKind.PROGRESS  # of which only the last of an activity is kept
        entry = self._keeper.add(kind, record) if keeps else stream_record(kind, record)
        if kind is RecordKind.PROGRESS:
            self._progress.add(_progress_event(self._where, entry))
        elif kind is RecordKind.INFORMATION:
            shown = host_text(entry)
            self._live.text("information", shown.text, color=shown.color, line=shown.newline)
        else:
            self._live.text(kind.value, entry)

    def ended(self, end: PipelineEnd) -> ErrorRecord | None:
        """Take the pipeline's own end: the record of a failed one, which comes nowhere else (remoting.md 2.3)."""
        if end.error is None:
            return None
        error = error_record(end.error)
        self.errors.append(error)
        self._live.text("error", error.message)
        return error

    def finish(self) -> None:
        """Nothing more comes; idempotent."""
        if self._finished:
            return
        self._finished = True
        if self._formatted:
            self._warn(self._of_formatting())
        for kind, number in self._counts.items():
            if number > MOST_RECORDS and kind is not RecordKind.PROGRESS:
                self._warn(f"{number:,} {kind} records came, of which the first {MOST_RECORDS:,} are kept")
        self._live.finish()
        self._progress.finish()

    def _warn(self, message: str) -> None:
        self._warnings.append(message)
        self._live.text("warning", message)

    def _of_formatting(self) -> str:
        found = _FORMAT_COMMAND.search(self._script)
        name = f"`{found[1]}`" if found else "a `Format-` command"
        place = f" in line {self._script.count(chr(10), 0, found.start()) + 1}" if found else ""
        return (
            f"{name}{place} gives drawing instructions, not data: they are left out of the output; "
            "take it away for objects, or end with `| Out-String -Width 200` for text"
        )

    def _decrypt(self, value: Any) -> str:
        """The text of a secure string, which is a secret of this run from now on."""
        text = self._raw_decrypt(value)
        self._redactor.add(text)
        return text


def _is_formatted(value: PSObject) -> bool:
    return any(_FORMAT_TYPE in name for name in value.type_names[:1])


def _progress_event(where: tuple[str, str], entry: dict[str, Any]) -> ProgressReceived:
    step, host = where
    return ProgressReceived(
        step,
        host,
        entry["activity"],
        entry["operation"] or entry["status"],
        entry["percent"],
        entry["seconds_left"],
        entry["completed"],
    )
