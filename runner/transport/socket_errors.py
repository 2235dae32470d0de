"""What the system says where no connection can be made, in words that every transport shares."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from runner.errors import Unreachable

#: What the socket layer says when there is no way to the host (errno(3)).
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
#: What the system says when this process, or the whole machine, may open no more files.
NO_FILES_LEFT = frozenset({errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True, slots=True)
class SocketFailure:
    """A code, a sentence without an end, and what to do about it."""

    code: str
    message: str
    hints: tuple[str, ...] = ()


def socket_failure(error: OSError, what: str, *, unresolved: str, refused: str) -> SocketFailure | None:
    """What kept a connection from being made; None where the error says nothing that is known here.

    ``what`` is the peer in words (`` `web1` ``); ``unresolved`` and ``refused`` are the transport's own advice.
    """
    if isinstance(error, socket.gaierror):
        words = f"the name of {what} cannot be resolved: {error.strerror}"
        return SocketFailure("name-not-resolved", words, (unresolved,))
    if isinstance(error, ConnectionRefusedError):
        words = f"{what} refused the connection: nothing listens on the port"
        return SocketFailure("connection-refused", words, (refused,))
    if error.errno in _NO_ROUTE:
        return SocketFailure("network-unreachable", f"there is no route to {what}: {error.strerror}")
    return None


def no_files_left(what: str) -> Unreachable:
    """The runner itself may open no more files, and a connection is one."""
    return Unreachable(
        "too-many-open-files",
        f"there is no connection to {what}: the runner may not open more files; nothing was run",
        hints=("raise the limit with `ulimit -n`, or run on fewer hosts at once with `-l`",),
    )
