"""Faults on demand: what a front end does wrong, when, and how often. Pure.

A test or ``runner lab trouble`` says it beforehand; each request takes the first that fits it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

_FRAGMENT = struct.Struct(">QQBI")  # object, number, flags, length (MS-PSRP 2.2.4)
_START, _END = 1, 2

ANY = "any"
"""Every HTTP request, before anybody looks who asks and for what."""


class Kind(StrEnum):
    """What can go wrong."""

    DELAY = "delay"
    """The answer comes ``seconds`` later."""
    DROP = "drop"
    """No answer ever comes."""
    DISCONNECT = "disconnect"
    """The connection breaks before the operation is done."""
    CUT = "cut"
    """The operation is done and the connection breaks in the middle of the answer."""
    OUTAGE = "outage"
    """The host cannot be reached for ``seconds``; what runs on it goes on."""
    TRUNCATED_FRAGMENT = "truncated-fragment"
    """The last fragment of a Receive is shorter than it says."""
    FOREIGN_FRAGMENT = "foreign-fragment"
    """The rest of an object in a Receive bears the id of another one."""
    FAULT = "fault"
    """A SOAP fault with the number ``code``."""
    REDIRECT = "redirect"
    """302 to ``location``, in which ``{n}`` is the number of the hop."""
    UNAUTHORIZED = "unauthorized"
    """401, whatever the client says."""
    SERVER_ERROR = "server-error"
    """500 with a page of HTML."""
    KILL = "kill"
    """The engine of the shell dies before the operation is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One fault.

    Args:
        kind: what goes wrong.
        on: the operation it befalls (``Create``, ``Receive`` ...), or :data:`ANY`.
        skip: how many fitting requests are spared first.
        times: how many are befallen then; None is all of them.
        seconds: of a delay or an outage.
        location: of a redirection.
        code: of a fault, as in WSManFault.

    """

    kind: Kind
    on: str = ANY
    skip: int = 0
    times: int | None = 1
    seconds: float = 0.0
    location: str = ""
    code: int = 0


_OF_AN_OPERATION = frozenset({Kind.FAULT, Kind.KILL, Kind.TRUNCATED_FRAGMENT, Kind.FOREIGN_FRAGMENT})


@dataclass(slots=True)
class Troubles:
    """What is to go wrong, in the order in which it was asked for."""

    waiting: list[Trouble] = field(default_factory=list)
    met: list[Trouble] = field(default_factory=list)
    """Those that befell a request, once for each."""

    def add(self, trouble: Trouble) -> None:
        """Have something go wrong from now on.

        Raises:
            ValueError: it can befall only an operation, and was asked for any request.

        """
        if trouble.on == ANY and trouble.kind in _OF_AN_OPERATION:
            raise ValueError(f"`{trouble.kind}` befalls an operation: say which one")
        self.waiting.append(trouble)

    def clear(self) -> None:
        """Let everything go well."""
        self.waiting.clear()

    def take(self, operation: str) -> Trouble | None:
        """What befalls this request; None where nothing does."""
        for index, trouble in enumerate(self.waiting):
            if trouble.on.lower() != operation.lower():
                continue
            if trouble.skip:
                self.waiting[index] = replace(trouble, skip=trouble.skip - 1)
                return None
            if trouble.times is not None:
                rest = replace(trouble, times=trouble.times - 1)
                self.waiting[index : index + 1] = [rest] if rest.times else []
            self.met.append(trouble)
            return trouble
        return None


def truncated(fragments: Sequence[bytes]) -> list[bytes]:
    """The fragments, the last of them cut off within its data."""
    *whole, last = fragments
    return [*whole, last[: -max(1, (len(last) - _FRAGMENT.size) // 2)]]


def foreign(fragments: Sequence[bytes]) -> list[bytes]:
    """The fragments, the second half of the first one as the end of an object that never began."""
    first, *rest = fragments
    number, index, flags, length = _FRAGMENT.unpack_from(first)
    data, half = first[_FRAGMENT.size :], length // 2
    return [
        _FRAGMENT.pack(number, index, flags & ~_END, half) + data[:half],
        _FRAGMENT.pack(number + 1, index + 1, (flags | _END) & ~_START, length - half) + data[half:],
        *rest,
    ]
