"""What a pipeline gives: objects as they are, or the text of them read as a step asks; bounded in memory either way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.credentials.redact import Redactor
from runner.errors import ExecutionFailed
from runner.execute.masking import without_begun_secret
from runner.execute.powershell.text import text_of
from runner.execute.spool import copy_masked
from runner.playbook.model import OutputFormat
from runner.shell.decode import Decoded, decode
from runner.shell.output import MEMORY_LIMIT, Collected
from runner.variables.filters import plain_json

OBJECTS_LIMIT = 64 << 20
"""Bytes, roughly, of the objects that are kept in memory: as much as is read as JSON from other shells."""

_OBJECT = 64
"""Bytes that a value takes at least."""


class PipelineOutput:
    """Collects the outputs of one pipeline; ``directory`` is where what is too long is kept, None for nowhere."""

    def __init__(
        self,
        wanted: OutputFormat,
        redactor: Redactor,
        directory: Path | None,
        *,
        limit: int = OBJECTS_LIMIT,
    ) -> None:
        self._wanted = wanted
        self._redactor = redactor
        self._left = limit
        self._values: list[Any] = []
        objects = wanted is OutputFormat.OBJECTS
        name, kept = ("output.jsonl", 0) if objects else ("stdout", MEMORY_LIMIT)
        # Nameless until it is masked: a secret string among the outputs is known as a secret only when it comes.
        self._file = Collected(name, directory, kept, named=False)

    def add(self, value: Any) -> None:
        """Take an output."""
        if self._wanted is not OutputFormat.OBJECTS:
            self._file.add(_line(text_of(value)))
            return
        before, self._left = self._left, self._left - _weight(value)
        if self._left >= 0:
            self._values.append(value)
            return
        if before >= 0:
            for kept in self._values:
                self._file.add(_json_line(kept))
        self._file.add(_json_line(value))

    def read(self) -> Decoded:
        """All of it as the step asks for.

        Raises:
            ExecutionFailed: it is no JSON where that is asked for, or could not be kept.

        """
        if self._wanted is OutputFormat.OBJECTS:
            return Decoded(self._values, truncated=self._left < 0)
        return decode(self._file, self._wanted, self._redactor.finds)

    def read_anyhow(self) -> Decoded:
        """What came, where it cannot be read as the step asks: text as lines."""
        if self._wanted in {OutputFormat.JSON, OutputFormat.JSONL}:
            return decode(self._file, OutputFormat.LINES)
        try:
            return self.read()
        except ExecutionFailed:
            return Decoded([])

    def keep(self, decoded: Decoded) -> tuple[Any, str | None]:
        """The value without a secret that was cut in two, and the file that holds all; the file is written now."""
        self._file.flush()
        self._file.keep(lambda source, target: copy_masked(source, target, self._redactor))
        value = without_begun_secret(decoded.value, self._redactor) if decoded.truncated else decoded.value
        path = None if self._file.path is None else str(self._file.path)
        self._file.close()
        return value, path


def _line(text: str) -> bytes:
    line = text if text.endswith("\n") else text + "\n"
    return line.encode("utf-8", "backslashreplace")


def _json_line(value: Any) -> bytes:
    try:
        text = json.dumps(value, default=_plain, ensure_ascii=False)
    except (TypeError, ValueError):  # a key that JSON does not know
        text = json.dumps(text_of(value), ensure_ascii=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _plain(value: object) -> object:
    try:
        return plain_json(value)
    except TypeError:
        return text_of(value)


def _weight(value: Any) -> int:
    """Bytes that a value takes, roughly."""
    if isinstance(value, str | bytes):
        return _OBJECT + len(value)
    if isinstance(value, Mapping):
        return _OBJECT + sum(_weight(item) + _OBJECT for item in value.values())
    if isinstance(value, list | tuple):
        return _OBJECT + sum(map(_weight, value))
    return _OBJECT
