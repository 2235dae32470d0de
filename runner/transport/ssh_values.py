"""Values of ``ssh_config`` words read as what they are: booleans, numbers, durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.transport.ssh_config import ConfigError, Value, first
from runner.units import parse_duration


def truth(value: Value, word: str) -> bool:
    """Whether the value says yes.

    Raises:
        ConfigError: it says neither yes nor no.

    """
    text = value.text.lower()
    if text not in {"yes", "true", "no", "false"}:
        raise ConfigError(f"{value.source}: `{word}` must be `yes` or `no`: `{value.text}`")
    return text in {"yes", "true"}


def integer(values: Mapping[str, Sequence[Value]], word: str, default: int) -> int:
    """The value as a number, ``default`` where the word is absent.

    Raises:
        ConfigError: it is no number.

    """
    text = first(values, word)
    if text is None:
        return default
    if not text.isdecimal():
        raise ConfigError(f"{values[word][0].source}: `{word}` must be a number: `{text}`")
    return int(text)


def seconds(values: Mapping[str, Sequence[Value]], word: str, default: float) -> float:
    """The value as seconds, ``default`` where the word is absent or ``none``.

    Raises:
        ConfigError: it is no duration.

    """
    text = first(values, word)
    if text is None or text.lower() == "none":
        return default
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise ConfigError(f"{values[word][0].source}: `{word}`: {error}") from error
