"""The parser of a YAML text: libyaml's where it is there, else the one PyYAML has in Python."""

from __future__ import annotations

from typing import Any, Protocol

import yaml


class Mark(Protocol):
    """A place as PyYAML gives it: all three count characters from 0 (libyaml's ``index`` too, no bytes)."""

    line: int
    column: int
    index: int


class Event(Protocol):
    """An event as PyYAML gives it; which of the attributes it has depends on its kind."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None


class Events(Protocol):
    """Gives the events of a text one after another, None at the end; raises :class:`yaml.YAMLError`."""

    def get_event(self) -> Any: ...  # noqa: D102 - the class says it


class PythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's parser without libyaml."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def open_parser(text: str) -> Events:
    """The parser over a text."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser  # noqa: PLC0415 - absent without libyaml

        return CParser(text)
    return PythonParser(text)
