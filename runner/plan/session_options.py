"""``session_option`` as a transport takes it: New-PSSessionOption's parameters, read once all layers are known.

What acts over which transport is remoting.md 3.1 and 4.6: WinRM takes all of them, SSH and a local engine those that
the runner itself honours. Whatever would be left without effect is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from runner.plan.setting import Setting
from runner.problems import Problems, suggestion
from runner.transport.endpoint import LONGEST_TIMEOUT, ProxySettings, SessionOptions, freeze
from runner.units import parse_duration, parse_size

_EVERYWHERE = frozenset(
    {
        *("open_timeout", "cancel_timeout", "application_arguments"),
        *("maximum_received_object_size", "maximum_received_data_size_per_command"),
    }
)
ACTING: dict[str, frozenset[str]] = {"local": _EVERYWHERE, "ssh": _EVERYWHERE | {"no_compression"}}
"""The options that act, by transport; a transport that is not here takes all."""

SHORTEST_IDLE, LONGEST_IDLE = 60.0, LONGEST_TIMEOUT
"""Seconds; WinRM refuses a session with less, and no host allows more (remoting.md 3.1)."""

_NONE = SessionOptions()
_PRIMITIVES = (str, int, float, bool, bytes, datetime, date, timedelta, UUID, type(None))


class WrongOption(Exception):
    """A value that an option cannot have; the text says what it must be."""


def asked_options(setting: Setting | None) -> dict[str, Any]:
    """The options that ask for something: a switch that is off, ``none`` and null ask for nothing."""
    value = setting.value if setting is not None else None
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): item
        for key, item in value.items()
        if item is not None and item is not False and str(item).strip().lower() not in {"none", "false"}
    }


def session_options(setting: Setting | None, transport: str, problems: Problems) -> SessionOptions:
    """The options of one host; each wrong value is noted at its place and left out."""
    asked = asked_options(setting)
    if setting is None or not asked:
        return _NONE
    acting = ACTING.get(transport)
    found: dict[str, Any] = {}
    for key, value in asked.items():
        if acting is not None and key not in acting:
            where = "locally" if transport == "local" else f"over {transport}"
            problems.error(
                "option-not-for-transport",
                f"the session option `{key}` does not act {where}",
                setting.at_key(key),
                "acting there: " + ", ".join(f"`{name}`" for name in sorted(acting)),
            )
            continue
        read = _READERS.get(key)
        if read is None:
            if setting.written is None and not key.startswith(
                "proxy_"
            ):  # a template's, which no schema checks
                words = f"there is no session option `{key}`"
                problems.error("unknown-key", words, setting.span, *suggestion(key, _READERS))
            continue  # told by the schema, or part of the proxy
        try:
            found[key] = read(value)
        except (WrongOption, ValueError) as error:
            wanted = str(error).removeprefix("expected ")
            shown = "" if isinstance(value, dict | list) else f": `{value}`"
            problems.error(
                "setting-value", f"the session option `{key}` must be {wanted}{shown}", setting.at(key)
            )
    return SessionOptions(**found, proxy=_proxy(asked, setting, problems) if transport == "winrm" else None)


def _timeout(value: Any) -> float:
    return parse_duration(value).total_seconds() or LONGEST_TIMEOUT


def _idle(value: Any) -> float:
    seconds = parse_duration(value).total_seconds()
    if not SHORTEST_IDLE <= seconds <= LONGEST_IDLE:
        raise WrongOption("at least 1 minute and at most 24 days")
    return seconds


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise WrongOption("a whole number") from None


def _count(value: Any) -> int:
    number = _whole(value)
    if number < 0:
        raise WrongOption("a whole number from 0")
    return number


def _flag(value: Any) -> bool:
    if value is True or (isinstance(value, str) and value.strip().lower() == "true"):
        return True
    raise WrongOption("`true` or `false`")


def _buffering(value: Any) -> str:
    word = str(value).lower()
    if word not in {"block", "drop"}:
        raise WrongOption("`none`, `block` or `drop`")
    return word


def _arguments(value: Any) -> tuple[tuple[str, object], ...]:
    """What a PSPrimitiveDictionary takes: primitives, lists of them and mappings of the same."""
    if not isinstance(value, dict):
        raise WrongOption("a mapping of names to values")
    _check_primitive(value, "application_arguments")
    return tuple((str(key), freeze(item)) for key, item in value.items())


def _check_primitive(value: Any, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_primitive(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_primitive(item, f"{path}[{number}]")
    elif not isinstance(value, _PRIMITIVES):
        raise WrongOption(f"made of text, numbers, dates, lists and mappings alone, `{path}` is none")


_READERS: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("open_timeout", "operation_timeout", "cancel_timeout"), _timeout),
    "idle_timeout": _idle,
    "output_buffering_mode": _buffering,
    "max_connection_retry_count": _count,
    "maximum_redirection": _whole,
    **dict.fromkeys(("maximum_received_data_size_per_command", "maximum_received_object_size"), parse_size),
    "application_arguments": _arguments,
    **dict.fromkeys(("culture", "ui_culture"), str),
    **dict.fromkeys(
        (
            *("no_compression", "no_encryption", "no_machine_profile", "use_utf16", "include_port_in_spn"),
            *("skip_ca_check", "skip_cn_check", "skip_revocation_check"),
        ),
        _flag,
    ),
}


def _proxy(asked: Mapping[str, Any], setting: Setting, problems: Problems) -> ProxySettings | None:
    access = str(asked.get("proxy_access_type", "none")).lower()
    credential = asked.get("proxy_credential")
    if access == "none":
        if credential is not None:
            problems.error(
                "missing-companion",
                "the session option `proxy_credential` goes with a `proxy_access_type` other than `none` only",
                setting.at_key("proxy_credential"),
                "add `proxy_access_type`",
            )
        return None
    authentication = str(asked.get("proxy_authentication", "negotiate")).lower()
    return ProxySettings(
        access=access,
        authentication=authentication,
        credential=None if credential is None else str(credential),
    )
