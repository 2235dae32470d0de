"""The wire of WinRM: envelopes to one URL, over as many logged-in connections as there are requests at once."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urljoin

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.wsman.authentication import AnsweredInstead
from runner.wsman.authentication_errors import refused
from runner.wsman.authentication_steps import offers
from runner.wsman.channel import Channel, Dialler
from runner.wsman.http_answer import Response
from runner.wsman.http_connection import HttpBroken
from runner.wsman.http_errors import Attempt, closed, lost, unanswered
from runner.wsman.kerberos_reach import KerberosReach
from runner.wsman.port import Answer, Redirected
from runner.wsman.tls import TlsContexts

#: How long a connection is kept without use, seconds: HTTP.SYS closes its own after 120, and what is sent into a
#: connection that closes just then is lost without anybody knowing whether it ran.
KEPT_IDLE = 90.0
#: Connections of one wire at once; a session holds two polls and sends over a third.
MOST_CHANNELS = 64
_UNAUTHORIZED = 401
#: What a second try with the same values can only make worse: accounts are locked after some.
_FINAL = frozenset({"login-refused", "login-failed"})
_REDIRECTIONS = frozenset({301, 302, 307, 308})
_UTF8 = "application/soap+xml;charset=UTF-8"
_UTF16 = "application/soap+xml;charset=UTF-16"


class HttpWire:
    """A :class:`runner.wsman.port.Wire` over HTTP(S), of one event loop and without threads of its own.

    Args:
        endpoint: with ``winrm`` set; its ``connect_timeout`` covers everything until the login is over.
        login: the credential's values; None logs in with the controller's own ticket.
        contexts: shared with other wires, so that authorities are held once.
        kerberos: shared with other wires, so that a fleet asks a KDC once.
        proxy_login: the credential that ``session_options.proxy`` names.

    A login that was refused is never tried again with the same values, by whatever request: it would lock the account.

    """

    def __init__(
        self,
        endpoint: Endpoint,
        login: Login | None,
        *,
        contexts: TlsContexts | None = None,
        kerberos: KerberosReach | None = None,
        proxy_login: Login | None = None,
    ) -> None:
        assert endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
        self._host = endpoint.host
        self._url = endpoint.winrm.url
        self._dialler = Dialler(
            endpoint, login, contexts or TlsContexts(), proxy_login, kerberos or KerberosReach()
        )
        self._utf16 = endpoint.session_options.use_utf16
        self._idle: list[Channel] = []
        self._busy: set[Channel] = set()
        self._places = asyncio.Semaphore(MOST_CHANNELS)
        self._first = asyncio.Lock()
        self._let_in = False
        self._refusal: Unreachable | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """Where envelopes go."""
        return self._url

    async def post(self, envelope: bytes, *, timeout: float) -> Answer:  # noqa: ASYNC109 - see the port
        """Send one envelope; see :meth:`runner.wsman.port.Wire.post`.

        An envelope is sent twice in one case only: the server says by a 401 that it has forgotten a login which it
        had accepted, so it has not looked at the envelope.
        """
        try:
            answer = await self._try(envelope, timeout, last=False)
            return answer if answer is not None else await self._again(envelope, timeout)
        except AnsweredInstead as instead:
            self._check_redirection(instead.response)
            response = instead.response
            return Answer(response.status, response.body, response.first("content-type").partition(";")[0])

    async def _again(self, envelope: bytes, timeout: float) -> Answer:  # noqa: ASYNC109
        for channel in self._idle:
            channel.connection.abort()
        answer = await self._try(envelope, timeout, last=True)
        assert answer is not None  # noqa: S101 - the last try answers or raises
        return answer

    async def _try(
        self,
        envelope: bytes,
        timeout: float,  # noqa: ASYNC109
        *,
        last: bool,
    ) -> Answer | None:
        """One exchange; None where the server has forgotten the login and another try may be made."""
        channel = await self._take()
        try:
            async with asyncio.timeout(timeout):
                response, answer = await channel.exchange(*self._encoded(envelope))
        except TimeoutError:
            self._drop(channel)
            raise unanswered(self._host, timeout) from None
        except HttpBroken as error:
            self._drop(channel)
            raise (closed(self._host) if self._closed else lost(self._host, str(error))) from None
        except BaseException:
            self._drop(channel)
            raise
        self._give_back(channel)
        if response.status == _UNAUTHORIZED:
            channel.connection.abort()
            if last:
                raise refused(self._dialler.attempt(self._url), "the user", "any mechanism", offers(response))
            return None
        self._check_redirection(response)
        return answer

    def _encoded(self, envelope: bytes) -> tuple[bytes, str]:
        if not self._utf16:
            return envelope, _UTF8
        text = envelope.decode()
        if text.startswith("<?xml"):  # it names the other charset
            text = text.partition("?>")[2]
        return text.encode("utf-16"), _UTF16

    async def _take(self) -> Channel:
        """A channel that is ready and nobody else's."""
        if self._closed:
            raise closed(self._host)
        if not self._places.locked() and (kept := self._kept()) is not None:
            await self._places.acquire()  # at once, as it is not locked
            self._busy.add(kept)
            return kept
        attempt = self._dialler.attempt(self._url)
        url = self._url
        try:
            async with asyncio.timeout(attempt.timeout):
                await self._places.acquire()
                try:
                    channel = self._kept() or await self._open(url, attempt)
                except BaseException:
                    self._places.release()
                    raise
        except TimeoutError:
            raise attempt.timed_out() from None
        self._busy.add(channel)
        return channel

    def _kept(self) -> Channel | None:
        while self._idle:
            channel = self._idle.pop()
            if channel.connection.usable and time.monotonic() - channel.used_at < KEPT_IDLE:
                return channel
            channel.connection.abort()
        return None

    async def _open(self, url: str, attempt: Attempt) -> Channel:
        if self._let_in:
            return await self._dial(url, attempt)
        async with self._first:  # one at a time until it is known that the password is right
            return await self._dial(url, attempt)

    async def _dial(self, url: str, attempt: Attempt) -> Channel:
        if self._refusal is not None:
            told = self._refusal  # a new error each time: its traceback is its own
            raise Unreachable(told.code, told.message, hints=told.hints)
        try:
            channel = await self._dialler.open(url, attempt)
        except Unreachable as error:
            if error.code in _FINAL:
                self._refusal = error
            raise
        self._let_in = True
        return channel

    def _give_back(self, channel: Channel) -> None:
        self._busy.discard(channel)
        self._places.release()
        if channel.connection.usable and channel.url == self._url and not self._closed:
            self._idle.append(channel)
        else:
            channel.connection.abort()

    def _drop(self, channel: Channel) -> None:
        channel.connection.abort()
        self._give_back(channel)

    def _check_redirection(self, response: Response) -> None:
        location = response.first("location")
        if response.status in _REDIRECTIONS and location:
            raise Redirected(urljoin(self._url, location))

    def redirect(self, url: str) -> None:
        """From now on send to ``url``; connections to the old one are dropped, at the end of what they do.

        Another server may let in whom this one refused, so it is asked once.
        """
        if url == self._url:
            return
        self._url = url
        self._refusal, self._let_in = None, False
        for channel in self._idle:
            channel.connection.abort()
        self._idle.clear()

    async def close(self) -> None:
        """Close every connection; requests that wait get ``connection-closed``. Idempotent, never raises."""
        self._closed = True
        for channel in self._busy:
            channel.connection.abort()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(channel.connection.close() for channel in idle))
