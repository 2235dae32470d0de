"""Settings from ``runner.toml`` (or ``[tool.runner]`` of pyproject.toml): defaults for the options of every command."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Final

from runner.errors import UsageError
from runner.problems import suggestion
from runner.values import Span

FILE_NAME: Final = "runner.toml"
OPTIONS: Final = frozenset(
    {
        *("inventory", "extra", "limit", "tags", "skip_tags", "only", "start_at", "credential", "user"),
        *(
            "ask_password",
            "shell",
            "throttle",
            "timeout",
            "output",
            "no_color",
            "on_hosts",
            "verbose",
            "no_input",
            "record",
            "trace",
        ),
        *("check", "diff", "lock_wait", "database", "unknown", "allow_changed", "rerun", "yes"),
        *("newest", "step", "reject", "file", "keep", "older_than", "dry_run"),
        *("format", "directory", "playbook", "host", "certificates", "windows"),
        *("database", "lock_wait", "run", "force"),
        *("out", "exit_zero", "root", "signature", "allowed_signers", "signer"),
    }
)
"""What a settings file may say: the long names of all options, known here so that no command is imported for it."""

_PATHS: Final = frozenset(
    {"inventory", "record", "directory", "playbook", "certificates", "allowed_signers", "trace"}
)


def read_settings(start: Path) -> dict[str, Any]:
    """The settings that hold in a folder: the nearest file upwards; none is no settings.

    Keys are the options' long names, with ``-`` or ``_``; lists stand for options that repeat. Paths are relative to
    the file, wherever the command is typed.

    Raises:
        UsageError: the file is no TOML, its keys are no table, or one names no option.

    """
    for folder in (start, *start.parents):
        for name, table in ((FILE_NAME, ()), ("pyproject.toml", ("tool", "runner"))):
            path = folder / name
            if path.is_file():
                found: Any = _parse(path)
                for key in table:
                    found = found.get(key, {}) if isinstance(found, dict) else {}
                if found or not table:
                    return _settings(found, path, Path() if folder == start else folder)
    return {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        words = str(error).replace(" (at ", " (").rstrip(".")
        raise UsageError("settings-file", f"the settings cannot be read: {words}", Span(str(path))) from error


def _settings(found: Any, path: Path, folder: Path) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise UsageError("settings-file", "`tool.runner` must be a table of settings", Span(str(path)))
    settings: dict[str, Any] = {}
    for key, value in found.items():
        option = key.replace("-", "_")
        if option not in OPTIONS:
            hints = suggestion(option, OPTIONS, limit=0)
            raise UsageError("unknown-setting", f"no option is named `{key}`", _place(path, key), hints=hints)
        settings[option] = _anchored(value, folder) if option in _PATHS else value
    return settings


def _place(path: Path, key: str) -> Span:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        bare = line.lstrip()
        if bare.startswith((key, f'"{key}"')):
            column = len(line) - len(bare) + 1
            return Span(str(path), number, column, number, column + len(key))
    return Span(str(path))


def _anchored(value: Any, folder: Path) -> Any:
    """A path, or each of a list; a list of names (``web1,web2,``) is no path."""
    if isinstance(value, list):
        return [_anchored(item, folder) for item in value]
    if not isinstance(value, str) or "," in value:
        return value
    return str(folder / os.path.expanduser(value))  # noqa: PTH111 - Path.expanduser raises where nobody has the name
