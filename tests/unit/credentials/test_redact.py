"""Masking, whole and in pieces: no secret comes through, and nothing else is touched."""

from __future__ import annotations

import base64
import re

from hypothesis import given
from hypothesis import strategies as st

from runner.credentials.redact import STARS, Redactor, StreamMask
from runner.values import Secret

LETTERS = st.text("ab\n", max_size=30)
SECRETS = st.lists(st.text("ab", min_size=4, max_size=9), min_size=1, max_size=4)


def redactor_of(*secrets: str | Secret) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    return redactor


def naive_mask(text: str, secrets: list[str]) -> str:
    """Mark every character that belongs to any occurrence, then replace each marked stretch."""
    marked = [False] * len(text)
    for secret in secrets:
        for start in range(len(text)):
            if text.startswith(secret, start):
                marked[start : start + len(secret)] = [True] * len(secret)
    shown = "".join("\0" if hidden else character for character, hidden in zip(text, marked, strict=True))
    return re.sub("\0+", STARS, shown)


@given(LETTERS, SECRETS)
def test_every_occurrence_is_masked_and_nothing_else(text: str, secrets: list[str]) -> None:
    """Overlapping occurrences of several secrets too: the same as marking each character naively."""
    assert redactor_of(*secrets).mask(text) == naive_mask(text, secrets)


@given(st.lists(LETTERS, max_size=8), SECRETS)
def test_pieces_are_masked_as_the_whole(pieces: list[str], secrets: list[str]) -> None:
    """However text is cut into pieces, what is shown in the end is what the whole would show."""
    stream = StreamMask(redactor_of(*secrets))
    shown = "".join([*(stream.feed(piece) for piece in pieces), stream.finish()])
    assert shown == naive_mask("".join(pieces), secrets)


def test_only_what_may_begin_a_secret_is_held_back() -> None:
    """A line that ends in no beginning of a secret is shown at once."""
    stream = StreamMask(redactor_of("hunter2"))
    assert stream.feed("all well\nhun") == "all well\n"
    assert stream.feed("dred\n") == "hundred\n"


def test_lines_of_a_secret_are_secrets_and_armor_is_not() -> None:
    """A key printed line by line is masked; the line every key begins with is not."""
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAB3Nza\nxyz123==\n-----END OPENSSH PRIVATE KEY-----\n"
    redactor = redactor_of(Secret(key))
    assert redactor.mask(f"> {key}") == f"> {STARS}"
    assert redactor.mask("xyz123==") == STARS
    assert redactor.mask("-----BEGIN OPENSSH PRIVATE KEY-----") == "-----BEGIN OPENSSH PRIVATE KEY-----"


def test_short_secrets_are_left() -> None:
    """Three characters would star out half of any output."""
    assert redactor_of("abc").mask("abcdef") == "abcdef"


def test_nested_values_are_masked_keys_too() -> None:
    """Texts, bytes, keys and secrets anywhere; other values stay what they are."""
    redactor = redactor_of("hunter2")
    value = {"hunter2": [1, ("a hunter2", None)], "b": b"\xff hunter2", "s": Secret("x")}
    expected = {STARS: [1, [f"a {STARS}", None]], "b": b"\xff " + STARS.encode(), "s": STARS}
    assert redactor.mask_value(value) == expected


def test_deep_values_are_no_recursion() -> None:
    """How deep output is nested is up to the host; masking takes it."""
    deep: list[object] = ["hunter2"]
    for _ in range(100_000):
        deep = [deep]
    masked = redactor_of("hunter2").mask_value(deep)
    for _ in range(100_000):
        masked = masked[0]
    assert masked == [STARS]


def test_a_secret_added_later_counts_from_then_on() -> None:
    """More secrets may come while the run goes on."""
    redactor = redactor_of("first-one")
    assert redactor.mask("second-one") == "second-one"
    redactor.add("second-one")
    assert redactor.mask("first-one second-one") == f"{STARS} {STARS}"


def test_bytes_in_a_result_are_masked() -> None:
    """A line that is no UTF-8 stands in a result as base64, and a secret in it is starred out all the same."""
    redactor = Redactor()
    redactor.add("hunter22")
    held = {"$bytes": base64.b64encode(b"\xff hunter22").decode()}
    masked = redactor.mask_value([held, {"$bytes": "hunter22 is no base64"}, {"$bytes": "/w=="}])
    assert base64.b64decode(masked[0]["$bytes"]) == b"\xff ********"
    assert masked[1:] == [{"$bytes": "******** is no base64"}, {"$bytes": "/w=="}]
