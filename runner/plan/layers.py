"""Layers of connection settings from far to near: the nearest wins, and takes away what it excludes in farther ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.document.nodes import Scalar

Layer = Mapping[str, Any]

_CERTIFICATE = frozenset({"certificate_thumbprint", "certificate_pem", "certificate_key_pem"})
IMPLICIT = "negotiatewithimplicitcredential"
"""The authentication that logs in with the controller's own ticket, so that no credential goes with it."""


def nearest_logins(layers: Sequence[Layer], has_user_name: Callable[[Any], bool]) -> list[Layer]:
    """The layers, each without the keys of a login that a nearer one has replaced as a whole.

    A certificate, a credential and the controller's own ticket are three ways to log in (remoting.md 3.2): whoever
    says one at a target does not mean the other of a group. ``has_user_name`` says whether a credential, as it is
    named, brings a user name, which takes the place of a farther ``user_name``.
    """
    hidden: set[str] = set()
    hides_implicit = False
    kept: list[Layer] = []
    for layer in reversed(layers):
        seen = {key: value for key, value in layer.items() if key not in hidden}
        if hides_implicit and _word(seen.get("authentication")) == IMPLICIT:
            del seen["authentication"]
        kept.append(seen)
        if _CERTIFICATE & seen.keys():
            hidden |= {"credential", "authentication", "password", *_CERTIFICATE}
        elif _word(seen.get("authentication")) == IMPLICIT:
            hidden |= {"credential", "password", *_CERTIFICATE}
        elif "credential" in seen:
            hides_implicit = True
            hidden |= _CERTIFICATE
            if "user_name" not in seen and has_user_name(seen["credential"]):
                hidden |= {"user_name"}
        if "user_name" in seen:
            hidden |= {"user_name"}
    kept.reverse()
    return kept


def _text(value: object) -> str:
    return value.text if isinstance(value, Scalar) else str(value)


def _word(value: object) -> str | None:
    return None if value is None else _text(value).strip().lower()
