"""HTTP from the controller: one request, redirects followed where that is safe, an answer of a bounded size."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.engine.result import Failure
from runner.units import format_duration

if TYPE_CHECKING:
    import httpx

ANSWER_LIMIT = 16 << 20
"""Bytes of an answer that are read; results are kept in memory and in the journal."""

MOST_REDIRECTS = 20
"""As httpx and curl have it, roughly; more is a circle."""

_FOLLOWED = frozenset({"GET", "HEAD"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """What to ask. ``timeout`` in seconds, for all of it: connecting, redirects and reading the answer."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    timeout: float = 30.0

    @property
    def shown(self) -> str:
        """The request for messages: no user, no query, for both hold secrets often enough."""
        url = self.url.split("?", 1)[0].split("#", 1)[0]
        scheme, found, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{self.method} {scheme}{found}{host.rpartition('@')[2]}{slash}{path}"


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came: names of headers in lower case, the body as text (bytes where it is none) or what its JSON says."""

    status: int
    headers: dict[str, str]
    body: str | bytes = ""
    document: Any = None
    is_json: bool = False

    @property
    def output(self) -> dict[str, Any]:
        """The answer as a step's output."""
        rest = {"json": self.document} if self.is_json else {"body": self.body}
        return {"status": self.status, "headers": self.headers, **rest}


class WebFailed(Exception):
    """There is no answer. ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


async def ask(request: WebRequest) -> WebAnswer:
    """Send a request and read its answer.

    Certificates are checked by the system's authorities (``SSL_CERT_FILE`` names others); a proxy is taken from the
    environment (``HTTPS_PROXY``, ``NO_PROXY``). Redirects of GET and HEAD are followed, but never from https to http;
    the author's headers go to the first origin alone, for they may hold what logs in there.

    Raises:
        WebFailed: nothing answered in time, TLS or the URL is wrong, or the answer is too long.

    """
    import httpx  # noqa: PLC0415 - it takes a tenth of a second, and few playbooks need it

    try:
        async with asyncio.timeout(request.timeout), _client(request) as client:
            return await _ask(client, request)
    except TimeoutError as error:
        limit = format_duration(request.timeout)
        raise WebFailed(_failed(request, f"no answer within {limit}", sent=True)) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        hint = "a URL begins with `http://` or `https://`"
        raise WebFailed(_failed(request, str(error) or "it is no URL", hints=(hint,), sent=False)) from error
    except httpx.HTTPError as error:
        sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        raise WebFailed(_failed(request, _reason(error), sent=sent)) from error


def _silence() -> None:
    """Both httpx and httpcore log URLs and headers, which may hold secrets; for who turns every log on, too."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"httpx", "httpcore"}:
            logging.getLogger(name).disabled = True


def _client(request: WebRequest) -> httpx.AsyncClient:
    import httpx  # noqa: PLC0415 - see above

    client = httpx.AsyncClient(verify=ssl.create_default_context(), timeout=httpx.Timeout(request.timeout))
    _silence()  # httpcore is imported with the first client, and its loggers with it
    return client


async def _ask(client: httpx.AsyncClient, request: WebRequest) -> WebAnswer:
    import httpx  # noqa: PLC0415 - see above

    url, headers = httpx.URL(request.url), dict(request.headers)
    for _ in range(MOST_REDIRECTS + 1):
        sent = client.build_request(request.method, url, headers=headers, content=request.content)
        response = await client.send(sent, stream=True)
        try:
            to = _redirect(request, response)
            if to is None:
                return await _answer(request, response)
        finally:
            await response.aclose()
        if (to.scheme, to.host, to.port) != (url.scheme, url.host, url.port):
            headers = {}
        url = to
    raise WebFailed(_failed(request, f"it was redirected more than {MOST_REDIRECTS} times", sent=True))


def _redirect(request: WebRequest, response: httpx.Response) -> httpx.URL | None:
    """Where the answer sends a request that may follow."""
    location = response.headers.get("location")
    if request.method not in _FOLLOWED or response.status_code not in _REDIRECTS or not location:
        return None
    to = response.url.join(location)
    if response.url.scheme == "https" and to.scheme != "https":
        message = f"it is redirected from https to `{to.scheme}`, which is not followed"
        raise WebFailed(_failed(request, message, sent=True))
    return to


async def _answer(request: WebRequest, response: httpx.Response) -> WebAnswer:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > ANSWER_LIMIT:
            message = f"the answer has more than {ANSWER_LIMIT >> 20} MiB, which is the most that is read"
            raise WebFailed(_failed(request, message, sent=True))
    headers = {name.lower(): value for name, value in response.headers.items()}
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if data and (kind == "application/json" or kind.endswith("+json")):
        try:
            return WebAnswer(response.status_code, headers, document=json.loads(bytes(data)), is_json=True)
        except ValueError:
            pass  # the body says more of a broken document than an error of ours
    try:
        body: str | bytes = bytes(data).decode(response.charset_encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        body = bytes(data)
    return WebAnswer(response.status_code, headers, body)


def _failed(request: WebRequest, why: str, *, sent: bool, hints: tuple[str, ...] = ()) -> Failure:
    return Failure("http-failed", f"{request.shown}: {why}", may_have_run=sent, hints=hints)


def _reason(error: Exception) -> str:
    """What went wrong, in the words of the lowest error that has some."""
    cause: BaseException | None = error
    words = ""
    while cause is not None:
        words = (system_words(cause) if isinstance(cause, OSError) else str(cause)) or words
        cause = cause.__cause__ or cause.__context__
    return " ".join(words.split()) or type(error).__name__


def system_words(error: OSError) -> str:
    """What the system says of an error: asyncio puts words of its own about the call in the place of those."""
    known = isinstance(error.errno, int) and error.errno > 0 and not isinstance(error, ssl.SSLError)
    return os.strerror(error.errno) if known and error.errno is not None else (error.strerror or str(error))
