"""The port between WSMan operations and HTTP: an envelope goes out, an answer comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, decrypted: its status, its body, and the content type without parameters."""

    status: int
    body: bytes
    content_type: str = ""


class Wire(Protocol):
    """Sends SOAP envelopes to one URL, several at once, each over a connection of its own that is logged in.

    Authentication belongs to the TCP connection (NTLM, Kerberos, CredSSP), so connections are kept and reused, and a
    connection carries one request at a time.
    """

    @property
    def url(self) -> str:
        """Where envelopes go; :meth:`redirect` changes it."""

    async def post(self, envelope: bytes, *, timeout: float) -> Answer:  # noqa: ASYNC109 - WSMan's own deadline
        """Send one envelope; any HTTP status that is not about authentication or redirection is an answer.

        Args:
            envelope: SOAP 1.2 in UTF-8.
            timeout: seconds until the answer must have come whole, logging in not included.

        Raises:
            Redirected: the server named another URL (301, 302, 307, 308).
            Unreachable: nothing was sent: name, TCP, TLS, proxy or login failed.
            ConnectionLost: the envelope may have reached the server; ``may_have_run`` is True then.

        """

    def redirect(self, url: str) -> None:
        """From now on send to ``url``; open connections to the old one are dropped."""

    async def close(self) -> None:
        """Close every connection; idempotent, never raises."""


class Redirected(Exception):
    """The server answered with another URL; whether to follow is not the wire's to decide."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location
