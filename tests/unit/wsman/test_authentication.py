"""How one logs in, decided from endpoint and credential; what headers say; what never reaches a log."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConnectionLost, Unreachable
from runner.lab.winrm_acceptor import Logins
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.authentication_errors import login_failed
from runner.wsman.authentication_steps import offers, token_of
from runner.wsman.entry import Entry, entry_for
from runner.wsman.http_answer import Response
from runner.wsman.http_errors import Attempt
from runner.wsman.wire import HttpWire
from tests.support.winrm_server import listening

HTTP, HTTPS = "http://web01.example.com:5985/wsman", "https://web01.example.com:5986/wsman"
OPS = Login(username="CORP\\ops", password=Secret("pw"))
ATTEMPT = Attempt("web01", HTTP, 30.0)
BASE = -1765328384  # ERROR_TABLE_BASE_krb5


def endpoint(kind: Authentication, options: SessionOptions = SessionOptions(), url: str = HTTP) -> Endpoint:  # noqa: B008 - frozen
    settings = WinrmSettings(url=url, resource_uri="x", authentication=kind, trusted_hosts=("*.example.com",))
    return Endpoint(host="web01", transport="winrm", session_options=options, winrm=settings)


@pytest.mark.parametrize(
    ("kind", "login", "url", "wanted"),
    [
        ("default", OPS, HTTP, ("Negotiate", "negotiate", "CORP\\ops", True)),
        ("negotiate", OPS, HTTPS, ("Negotiate", "negotiate", "CORP\\ops", False)),
        ("negotiate", None, HTTP, ("Negotiate", "kerberos", None, True)),
        ("negotiate", Login(username="a@B.C"), HTTP, ("Negotiate", "kerberos", "a@B.C", True)),
        ("negotiatewithimplicitcredential", OPS, HTTP, ("Negotiate", "kerberos", None, True)),
        ("kerberos", OPS, HTTP, ("Kerberos", "kerberos", "CORP\\ops", True)),
        ("credssp", OPS, HTTP, ("CredSSP", "credssp", "CORP\\ops", True)),
        ("credssp", OPS, HTTPS, ("CredSSP", "credssp", "CORP\\ops", False)),
        ("basic", OPS, HTTPS, ("Basic", "", "CORP\\ops", False)),
    ],
)
def test_a_kind_and_a_credential_make_an_entry(
    kind: str, login: Login | None, url: str, wanted: tuple[str, str, str | None, bool]
) -> None:
    """Without a password Negotiate is Kerberos; over http all but Basic seal; https seals already."""
    entry = entry_for(endpoint(Authentication(kind), url=url), login, url, ATTEMPT, certificate=False)

    assert (entry.mechanism, entry.protocol, entry.username, entry.seals) == wanted


@pytest.mark.parametrize(
    ("login", "wanted"),
    [
        (Login(password=Secret("pw")), ("negotiate", "ops")),  # an inventory with user and password
        (OPS, ("negotiate", "ops")),
        (None, ("kerberos", "ops")),
    ],
)
def test_a_user_name_beside_the_host_is_who_logs_in(login: Login | None, wanted: tuple[str, str]) -> None:
    """With the password of the credential, or as whose ticket is meant."""
    named = replace(endpoint(Authentication.NEGOTIATE), user="ops")
    entry = entry_for(named, login, HTTP, ATTEMPT, certificate=False)

    assert (entry.protocol, entry.username) == wanted


@pytest.mark.parametrize(
    ("kind", "login", "url", "code"),
    [
        ("basic", OPS, HTTP, "basic-unencrypted"),
        ("basic", None, HTTPS, "credential-missing"),
        ("basic", Login(username="ops"), HTTPS, "credential-missing"),
        ("credssp", None, HTTPS, "credential-missing"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_sent(
    kind: str, login: Login | None, url: str, code: str
) -> None:
    """A password that would be seen, or is not there."""
    with pytest.raises(Unreachable) as refusal:
        entry_for(endpoint(Authentication(kind), url=url), login, url, ATTEMPT, certificate=False)

    assert refusal.value.code == code


def test_a_certificate_wants_https() -> None:
    """It is part of the TLS handshake."""
    with pytest.raises(Unreachable) as refusal:
        entry_for(endpoint(Authentication.DEFAULT), None, HTTP, ATTEMPT, certificate=True)

    assert refusal.value.code == "certificate-needs-https"


def test_no_encryption_leaves_out_the_seal() -> None:
    """As it says, for Negotiate as well."""
    options = SessionOptions(no_encryption=True)
    entry = entry_for(endpoint(Authentication.DEFAULT, options), OPS, HTTP, ATTEMPT, certificate=False)

    assert not entry.seals


@pytest.mark.parametrize(
    ("user", "kind", "said"),
    [
        (".\\ops", "negotiate", "ops"),
        ("corp.example.com\\ops", "kerberos", "ops@CORP.EXAMPLE.COM"),
        ("CORP\\ops", "kerberos", "CORP\\ops"),
        ("ops@EXAMPLE.COM", "kerberos", "ops@EXAMPLE.COM"),
    ],
)
def test_user_names_are_said_as_the_protocol_wants(user: str, kind: str, said: str) -> None:
    """`.` is the host itself; Kerberos wants `user@REALM`."""
    login = replace(OPS, username=user)
    entry = entry_for(endpoint(Authentication(kind)), login, HTTP, ATTEMPT, certificate=False)

    assert entry.username == said


def test_a_redirection_takes_no_trust_along() -> None:
    """`trusted_hosts` names hosts, and another host is another."""
    made = endpoint(Authentication.DEFAULT)
    assert entry_for(made, OPS, HTTP, ATTEMPT, certificate=False).ntlm
    assert not entry_for(made, OPS, "http://evil.test/wsman", ATTEMPT, certificate=False).ntlm


def test_an_entry_does_not_show_its_password() -> None:
    """Nor does its text."""
    assert "pw-text" not in repr(Entry("Basic", username="ops", password=Secret("pw-text")))


def answer(*values: str) -> Response:
    return Response(401, tuple(("www-authenticate", value) for value in values), b"")


@pytest.mark.parametrize(
    ("values", "offered"),
    [
        (("Negotiate", 'Basic realm="WSMAN"', "CredSSP"), ["Negotiate", "Basic", "CredSSP"]),
        (('Negotiate, Kerberos, Basic realm="a, Digest"',), ["Negotiate", "Kerberos", "Basic"]),
        (('Digest qop="auth", realm="x", nonce="y"',), ["Digest"]),
        (("Negotiate oYG2MIGz=",), ["Negotiate"]),
        ((), []),
    ],
)
def test_offers_are_read_from_their_headers(values: tuple[str, ...], offered: list[str]) -> None:
    """One header or several, with parameters or without."""
    assert offers(answer(*values)) == offered


@given(token=st.binary(min_size=1, max_size=300))
def test_a_token_comes_back_as_it_was_sent(token: bytes) -> None:
    """Among other offers, whatever the case of the scheme."""
    word = base64.b64encode(token).decode()

    assert token_of(answer("Kerberos", f"NEGOTIATE {word}"), "Negotiate") == token
    assert token_of(answer(f"Kerberos, Negotiate {word}, CredSSP"), "Negotiate") == token
    assert token_of(answer(f"Kerberos {word}", "Negotiate"), "Negotiate") is None


@given(text=st.text(alphabet=st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=80))
def test_any_header_can_be_read(text: str) -> None:
    """A server cannot make the parser stumble."""
    assert all(offer for offer in offers(answer(text)))
    token_of(answer(text), "Negotiate")


class KrbError(Exception):
    def __init__(self, number: int) -> None:
        super().__init__("words of krb5")
        self.err_code = number


class GssFailure(Exception):
    def __init__(self, major: int, minor: int) -> None:
        super().__init__("words of gssapi")
        self.maj_code, self.min_code = major << 16, minor


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KrbError(BASE + 6), "kerberos-principal-unknown"),
        (KrbError(BASE + 37), "kerberos-clock-skew"),
        (GssFailure(13, BASE + 37 + (1 << 32)), "kerberos-clock-skew"),
        (GssFailure(13, BASE + 7 + (1 << 32)), "kerberos-service-unknown"),
        (GssFailure(11, 0), "kerberos-ticket-expired"),
        (GssFailure(7, 0), "kerberos-no-ticket"),
        (KrbError(BASE + 156), "kerberos-kdc-unreachable"),
        (KrbError(BASE + 24), "login-refused"),
        (KrbError(BASE + 18), "login-refused"),
        (KrbError(BASE + 60), "login-failed"),
    ],
)
def test_what_kerberos_is_short_of_is_told_by_its_numbers(error: Exception, code: str) -> None:
    """Words differ by release and language; krb5 counts with a sign, GSS-API without."""
    assert login_failed(ATTEMPT, "`web01`", "Kerberos", error).code == code


def test_a_cause_is_looked_into() -> None:
    """Pyspnego wraps what gssapi raised."""
    outer = RuntimeError("wrapped")
    outer.__cause__ = KrbError(BASE + 37)

    assert login_failed(ATTEMPT, "`web01`", "Kerberos", outer).code == "kerberos-clock-skew"


PASSWORD = "Geheimnis-9x7!"


def spellings(text: str) -> set[bytes]:
    """A text as it might stand in a log: plain, UTF-16, base64 of both."""
    plain, wide = text.encode(), text.encode("utf-16-le")
    coded = {base64.b64encode(octets).rstrip(b"=")[:-2] for octets in (plain, wide)}
    return {plain, wide, plain.hex().encode(), wide.hex().encode(), *coded}


@pytest.mark.parametrize("mechanism", ["basic", "negotiate", "credssp"])
async def test_no_log_shows_a_login_or_a_body(
    mechanism: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With every logger at DEBUG neither password nor header nor token nor envelope is written, in any spelling."""
    (tmp_path / "users").write_text(f"CORP:ops:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    for name in ["", *logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, logger=name)
    logins = Logins(
        mechanisms=frozenset({mechanism}), passwords={"CORP\\ops": PASSWORD}, unencrypted=mechanism == "basic"
    )
    login = Login(username="CORP\\ops", password=Secret(PASSWORD))
    body = "inhalt-des-Umschlags-55"
    async with listening(logins) as listener:
        made = listener.endpoint(
            Authentication(mechanism), options=SessionOptions(no_encryption=mechanism == "basic")
        )
        wire = HttpWire(made, login)
        await wire.post(body.encode(), timeout=60)
        await wire.close()
        refused = HttpWire(made, replace(login, password=Secret(PASSWORD + "wrong")))
        with pytest.raises((Unreachable, ConnectionLost)):
            await refused.post(body.encode(), timeout=60)
        await refused.close()
        tokens = [request.headers.get("authorization", "").partition(" ")[2] for request in listener.requests]

    logged = "\n".join(record.getMessage() for record in caplog.records).encode() + caplog.text.encode()
    forbidden = spellings(PASSWORD) | spellings(body) | spellings(f"CORP\\ops:{PASSWORD}")
    assert not [spelling for spelling in forbidden if spelling in logged]
    assert not [token for token in tokens if token and token.encode() in logged]
    assert any(tokens)
