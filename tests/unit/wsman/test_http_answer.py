"""What is taken for an answer in HTTP, however it is cut, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.wsman.http_answer import LONGEST_ANSWER, LONGEST_HEAD, AnswerReader, NotHttp, Response, TooLong

OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes, connects: bool = False) -> tuple[Response | None, AnswerReader]:
    reader = AnswerReader()
    reader.expect(connects=connects)
    response = None
    for piece in pieces:
        response = reader.feed(piece)
    return response, reader


@pytest.mark.parametrize(
    ("octets", "body", "reusable"),
    [
        (OK + b"Content-Length: 2\r\n\r\nab", b"ab", True),
        (OK + b"X-Empty:\r\nContent-Length: 2\r\n\r\nab", b"ab", True),
        (OK + CLOSE + b"Content-Length: 2\r\n\r\nab", b"ab", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab", False),
        (OK + CHUNKED + b"1;why=not\r\na\r\n1\r\nb\r\n0\r\nTrailer: 1\r\n\r\n", b"ab", True),
        (b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nab", b"ab", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n", b"", True),
    ],
)
def test_an_answer_is_read_to_its_end(octets: bytes, body: bytes, reusable: bool) -> None:
    """Its length is said, or its chunks are counted; whether the connection lives on is known."""
    response, reader = read(octets)

    assert response is not None
    assert (response.body, reader.reusable) == (body, reusable)
    assert not {name for name, _ in response.headers} & {"x", "trailer"}


@given(st.data())
def test_how_the_network_cuts_an_answer_does_not_matter(data: st.DataObject) -> None:
    """Octet by octet or whole, the same comes out, and nothing before the last octet."""
    octets = b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"X-Y: z\r\n" + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1), max_size=20)))
    pieces = [octets[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]

    before, _ = read(*pieces[:-1])
    response, _ = read(*pieces)

    assert before is None
    assert response == Response(200, (("x-y", "z"), ("transfer-encoding", "chunked")), b"abc")


@pytest.mark.parametrize(
    "octets",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"POST / HTTP/1.1\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Content-Length: two\r\n\r\n",
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\nab",
        OK + CHUNKED + b"x\r\n",
        OK + b"X" * (LONGEST_HEAD + 1),
        OK + b"X: " + b"y" * LONGEST_HEAD,
    ],
)
def test_what_breaks_the_rules_is_no_answer(octets: bytes) -> None:
    """Not guessed at: what a contradiction hides may be meant for somebody else."""
    with pytest.raises(NotHttp):
        read(octets)


def test_an_endless_answer_is_given_up() -> None:
    """Also where the head promises that it goes on for ever."""
    _, reader = read(OK + b"\r\n")
    with pytest.raises(TooLong):
        reader.feed(bytes(LONGEST_ANSWER))


def test_an_answer_that_is_too_much_by_an_octet_ends_the_connection() -> None:
    """What follows unasked would be taken for the answer to the next request."""
    for tail in (b"x", OK):
        response, reader = read(OK + b"Content-Length: 2\r\n\r\nab" + tail)

        assert response == Response(200, (("content-length", "2"),), b"ab")
        assert not reader.reusable


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (OK + b"\r\nab", b"ab"),
        (OK + b"Content-Length: 3\r\n\r\nab", None),
        (OK + CHUNKED + b"2\r\nab\r\n", None),
        (OK + b"X: y\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (b"", None),
    ],
)
def test_the_end_of_the_connection_ends_a_body_without_a_length(octets: bytes, body: bytes | None) -> None:
    """And no other: half an answer is none."""
    _, reader = read(octets)

    whole = reader.end()

    assert (whole.body if whole is not None else None) == body


def test_a_proxy_that_connects_gives_no_body() -> None:
    """What its head says of one does not count (RFC 9110 9.3.6), and the next answer is somebody else's."""
    response, reader = read(b"HTTP/1.1 200 So\r\nContent-Length: 9\r\n\r\n", connects=True)
    assert response is not None
    assert reader.reusable

    reader.expect()

    assert reader.feed(OK + b"Content-Length: 2\r\n\r\nab") == Response(
        200, (("content-length", "2"),), b"ab"
    )


def test_a_proxy_that_refuses_may_say_why() -> None:
    """Its answer has a body like any other."""
    response, reader = read(b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", connects=True)

    assert response is not None
    assert (response.status, response.body, reader.reusable) == (407, b"no", True)
