"""Sealed bodies: what is sealed opens again, and what was cut or changed never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spnego import WinRMWrapResult

from runner.wsman.encryption import CREDSSP_PART, NotSealed, Sealing, is_sealed, seal, unseal

SIGNATURE = b"sixteen octets.."


class Flip:
    """A context that seals by flipping bits, with padding as RC4 Kerberos has."""

    def __init__(self, padding: int = 0) -> None:
        self.padding = padding

    def wrap_winrm(self, data: bytes) -> WinRMWrapResult:
        padded = data + bytes(self.padding)
        return WinRMWrapResult(SIGNATURE, bytes(octet ^ 0xFF for octet in padded), self.padding)

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        assert header == SIGNATURE
        return bytes(octet ^ 0xFF for octet in data)


@given(message=st.binary(max_size=3 * CREDSSP_PART), sealing=st.sampled_from(Sealing))
def test_what_is_sealed_opens_again(message: bytes, sealing: Sealing) -> None:
    """Any octets, in one part or in several, with the charset that was said."""
    kind, body = seal(Flip(), sealing, message, "application/soap+xml;charset=UTF-16")

    assert is_sealed(kind)
    assert f'protocol="{sealing}"' in kind
    assert unseal(Flip(), body) == ("application/soap+xml;charset=UTF-16", message)


@given(size=st.integers(0, 4 * CREDSSP_PART))
def test_credssp_alone_parts_long_messages(size: int) -> None:
    """At 16 KiB, and it says so in the type."""
    credssp, parts = seal(Flip(), Sealing.CREDSSP, bytes(size))
    _, whole = seal(Flip(), Sealing.SPNEGO, bytes(size))

    assert parts.count(b"OriginalContent") == max(1, -(-size // CREDSSP_PART))
    assert credssp.startswith("multipart/x-multi-encrypted") is (size > CREDSSP_PART)
    assert whole.count(b"OriginalContent") == 1


def test_the_wire_is_as_windows_writes_it() -> None:
    """The example of MS-WSMV 4.1.5, byte for byte in its headers."""
    kind, body = seal(Flip(), Sealing.KERBEROS, b"abc")

    assert kind == (
        'multipart/encrypted;protocol="application/HTTP-Kerberos-session-encrypted";boundary="Encrypted Boundary"'
    )
    assert body == (
        b"--Encrypted Boundary\r\n"
        b"\tContent-Type: application/HTTP-Kerberos-session-encrypted\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=3\r\n"
        b"--Encrypted Boundary\r\n"
        b"\tContent-Type: application/octet-stream\r\n"
        b"\x10\x00\x00\x00"
        + SIGNATURE
        + bytes(octet ^ 0xFF for octet in b"abc")
        + b"--Encrypted Boundary--\r\n"
    )


def test_padding_counts_as_length() -> None:
    """Kerberos with RC4 pads, and the length that is said is the padded one."""
    _, body = seal(Flip(padding=1), Sealing.KERBEROS, b"abc")

    assert b"Length=4\r\n" in body


def test_the_space_that_exchange_writes_is_read() -> None:
    """Its delimiters have a space after the dashes."""
    _, body = seal(Flip(), Sealing.SPNEGO, b"abc")

    assert unseal(Flip(), body.replace(b"--Encrypted", b"-- Encrypted"))[1] == b"abc"


@given(message=st.binary(max_size=100), data=st.data())
def test_a_cut_body_is_never_opened(message: bytes, data: st.DataObject) -> None:
    """Wherever it is cut."""
    _, body = seal(Flip(), Sealing.SPNEGO, message)
    cut = data.draw(st.integers(0, len(body) - 3))  # the line break at the very end may be missing

    with pytest.raises(NotSealed):
        unseal(Flip(), body[:cut])


@given(junk=st.binary(max_size=200))
def test_junk_is_told_as_such(junk: bytes) -> None:
    """Nothing but NotSealed comes of it."""
    with pytest.raises(NotSealed):
        unseal(Flip(), junk)


@given(length=st.integers(-(1 << 31), (1 << 31) - 1).filter(lambda length: length != 16))
def test_a_signature_of_an_impossible_length_is_refused(length: int) -> None:
    """It must not read beyond the part, and a shorter one leaves another length than said."""
    _, body = seal(Flip(), Sealing.SPNEGO, b"abc")
    changed = body.replace(b"\x10\x00\x00\x00", length.to_bytes(4, "little", signed=True))

    with pytest.raises((NotSealed, AssertionError)):
        unseal(Flip(), changed)


@pytest.mark.parametrize(
    ("kind", "sealed"),
    [
        ("multipart/encrypted;protocol=x", True),
        ("Multipart/X-Multi-Encrypted", True),
        ("application/soap+xml;charset=UTF-8", False),
        ("", False),
    ],
)
def test_the_type_says_whether_a_body_is_sealed(kind: str, sealed: bool) -> None:
    """By its first word, in any case."""
    assert is_sealed(kind) is sealed
