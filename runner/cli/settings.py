"""Settings from ``runner.toml`` (or ``[tool.runner]`` of pyproject.toml): defaults for the options of every command."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.values import Span

FILE_NAME = "runner.toml"


def read_settings(start: Path) -> dict[str, Any]:
    """The settings that hold in a folder: the nearest file upwards; none is no settings.

    Keys are the options' long names, with ``-`` or ``_``; lists stand for options that repeat.

    Raises:
        UsageError: the file is no TOML, or its keys are no table.

    """
    for folder in (start, *start.parents):
        for name, table in ((FILE_NAME, ()), ("pyproject.toml", ("tool", "runner"))):
            path = folder / name
            if path.is_file():
                found: Any = _parse(path)
                for key in table:
                    found = found.get(key, {}) if isinstance(found, dict) else {}
                if found or not table:
                    return {str(key).replace("-", "_"): value for key, value in found.items()}
    return {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError("settings-file", f"the settings cannot be read: {error}", Span(str(path))) from error
