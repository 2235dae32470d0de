"""One HTTP/1.1 answer out of a stream of octets. Pure: llhttp (httptools) reads, here is what is taken of it."""

from __future__ import annotations

from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

#: The longest answer that is taken, octets: WinRM's largest envelope is 500 KiB, a sealed one not much more.
LONGEST_ANSWER = 32 << 20
#: The longest head, octets: llhttp itself would take any.
LONGEST_HEAD = 64 << 10
_SWITCHING_PROTOCOLS = 101


class NotHttp(Exception):
    """What came breaks the rules of HTTP."""


class TooLong(Exception):
    """The answer is longer than :data:`LONGEST_ANSWER`."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer whose body has come whole; names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def every(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


class AnswerReader:
    """Reads the answers that come over one connection, each after :meth:`expect`.

    Attributes:
        begun: whether the head of the answer has come; those before it that only announce one (1xx) are passed over.
        reusable: whether the connection takes another request after the answer.

    """

    __slots__ = ("_body", "_connects", "_headers", "_parser", "_response", "_size", "begun", "reusable")

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._connects = False
        self.expect()

    def expect(self, *, connects: bool = False) -> None:
        """A request goes out; ``connects``: it is CONNECT, so that success has no body and what follows begins anew."""
        if self._connects:
            self._parser = HttpResponseParser(self)
        self._connects = connects
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._response: Response | None = None
        self.begun = False
        self.reusable = False

    def feed(self, data: bytes) -> Response | None:
        """Take what has come; gives the answer once it is whole.

        Raises:
            NotHttp: this is no answer, or one that contradicts itself.
            TooLong: it is longer than anybody needs.

        """
        self._size += len(data)
        if self._size > LONGEST_ANSWER:
            raise TooLong
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            # llhttp's own words may quote what came. After the end of an answer nothing may follow.
            self.reusable = False
            if self._response is None:
                raise NotHttp from None
        if not self.begun and self._size > LONGEST_HEAD:
            raise NotHttp
        response, self._response = self._response, None  # an idle connection keeps nothing of it
        return response

    def end(self) -> Response | None:
        """The stream has ended: gives the answer where that is how its body ends (RFC 9112 6.3)."""
        framed = {"content-length", "transfer-encoding"}.intersection(name for name, _ in self._headers)
        return None if framed or not self.begun else self._whole()

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Something begins: the answer, or what is too much after it."""
        self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is whole; those behind the body say nothing that is wanted."""
        if not self.begun:
            self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """A head is whole."""
        status = self._parser.get_status_code()
        if status == _SWITCHING_PROTOCOLS or not self._parser.get_http_version().startswith("1."):
            raise NotHttp
        if status // 100 == 1:
            self._headers.clear()
            return
        self.begun = True
        if self._connects and status // 100 == 2:
            self._response, self.reusable = self._whole(), True
        elif any(name == "transfer-encoding" and value.lower() != "chunked" for name, value in self._headers):
            raise NotHttp

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The end of the answer, or of what announces one."""
        if self.begun and self._response is None:
            self._response, self.reusable = self._whole(), self._parser.should_keep_alive()

    def _whole(self) -> Response:
        body = b"".join(self._body)
        self._body.clear()
        return Response(self._parser.get_status_code(), tuple(self._headers), body)
