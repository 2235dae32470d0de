"""The certificate of a listener: three checks apart, each failure with its own code and the certificate's words."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runner.errors import Unreachable
from runner.lab.winrm_acceptor import Logins
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.certificate import Certificate
from runner.wsman.tls import REVOCATION_LISTS, TlsChecks, TlsContexts
from runner.wsman.wire import HttpWire
from tests.support.winrm_server import Authority, der, listening, served

PASSWORD = "Grüße-7!"
OPS = Login(username="ops", password=Secret(PASSWORD))
WAIT = 60.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def post(endpoint: Endpoint, environment: dict[str, str], login: Login = OPS) -> int:
    wire = HttpWire(endpoint, login, contexts=TlsContexts(environment))
    try:
        return (await wire.post(b"<a/>", timeout=WAIT)).status
    finally:
        await wire.close()


async def outcome(
    context: ssl.SSLContext, environment: dict[str, str], options: SessionOptions, host: str = "127.0.0.1"
) -> str | Unreachable:
    """``well``, or the error."""
    logins = Logins(mechanisms=frozenset({"basic"}), passwords={"ops": PASSWORD}, tls_certificate=b"")
    async with listening(logins, context=context, host=host) as listener:
        try:
            await post(listener.endpoint(options=options), environment)
        except Unreachable as error:
            assert not listener.envelopes
            return error
    return "well"


def self_signed(*, revoked: bool = False) -> ssl.SSLContext:
    """A listener as `winrm quickconfig` leaves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web01")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem + text).tempfile() as path:
        context.load_cert_chain(path)
    return context


SKIP_CA = SessionOptions(skip_ca_check=True)
SKIP_NAME = SessionOptions(skip_cn_check=True)
SKIP_BOTH = SessionOptions(skip_ca_check=True, skip_cn_check=True)
ALL = SessionOptions()
#: For each flaw: what comes with all checks, without the authority, without the name, without both.
TABLE = {
    "none": ("well", "well", "well", "well"),
    "authority": ("tls-untrusted", "well", "tls-untrusted", "well"),
    "name": ("tls-wrong-name", "tls-wrong-name", "well", "well"),
    "expired": ("tls-expired", "tls-expired", "tls-expired", "tls-expired"),
    "self-signed": ("tls-self-signed", "tls-wrong-name", "tls-self-signed", "well"),
}


@pytest.mark.parametrize("flaw", TABLE)
@pytest.mark.parametrize("column", range(4))
async def test_each_check_is_left_out_alone(authority: Authority, flaw: str, column: int) -> None:
    """A check that is left out lets its own flaw pass and no other; dates are checked always."""
    options = (ALL, SKIP_CA, SKIP_NAME, SKIP_BOTH)[column]
    if flaw == "self-signed":
        context = self_signed()
    elif flaw == "authority":
        other = Authority(authority.directory)
        context, _ = other.server()
    else:
        names = ("db.example.com",) if flaw == "name" else ("127.0.0.1",)
        context, _ = authority.server(*names, expired=flaw == "expired")

    found = await outcome(context, authority.environment, options)

    assert (found if isinstance(found, str) else found.code) == TABLE[flaw][column]


async def test_the_message_has_the_certificates_own_words(authority: Authority) -> None:
    """Names, dates and fingerprint stand in it, so that nobody needs openssl to see what is wrong."""
    context, certificate = authority.server("127.0.0.1", "db.example.com", expired=True)
    error = await outcome(context, authority.environment, ALL)

    assert isinstance(error, Unreachable)
    assert "expired on 2020-01-02" in error.message
    assert "`db.example.com`" in error.message
    assert Certificate.parse(certificate).fingerprint in error.message


@pytest.mark.parametrize("options", [ALL, SKIP_CA])
@pytest.mark.parametrize(
    ("name", "well"), [("localhost", True), ("*.localhost", False), ("other.example.com", False)]
)
async def test_names_are_compared(
    authority: Authority, options: SessionOptions, name: str, well: bool
) -> None:
    """By OpenSSL, and the same way where OpenSSL was told not to look."""
    context, _ = authority.server(name)
    found = await outcome(context, authority.environment, options, "localhost")

    assert (found == "well") is well


@pytest.mark.parametrize(
    ("names", "host", "well"),
    [
        (("web01.example.com",), "WEB01.example.com.", True),
        (("*.example.com",), "web01.example.com", True),
        (("*.example.com",), "a.web01.example.com", False),
        (("*.example.com",), "example.com", False),
        (("*.com",), "example.com", False),
        (("10.0.0.1",), "10.0.0.1", True),
        (("::1",), "[0:0::1]", True),
        (("10.0.0.1",), "10.0.0.10", False),
        ((), "web01", False),
    ],
)
def test_a_name_is_for_a_host(names: tuple[str, ...], host: str, well: bool) -> None:
    """A star stands for one whole label, never for the last but one."""
    now = dt.datetime.now(dt.UTC)

    assert Certificate("", "", names, now, now, "").is_for(host) is well


def revocation_list(authority: Authority, *serials: int, days: int = 1) -> str:
    """A list of the authority in PEM."""
    ca = x509.load_pem_x509_certificate(authority.ca.cert_pem.bytes())
    key = serialization.load_pem_private_key(authority.ca.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(now - dt.timedelta(days=10))
        .next_update(now + dt.timedelta(days=days))
    )
    for serial in serials:
        entry = (
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - dt.timedelta(days=9))
        )
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("revoked", "tls-revoked"),
        ("not revoked", "well"),
        ("out of date", "tls-revocation-unknown"),
        ("of another authority", "tls-revocation-unknown"),
        ("skipped", "well"),
    ],
)
async def test_revocation_lists_are_read_where_given(authority: Authority, case: str, code: str) -> None:
    """From a directory of PEM lists; one that is missing or old is not taken for "not revoked"."""
    context, certificate = authority.server()
    serial = x509.load_der_x509_certificate(certificate).serial_number
    of = Authority(authority.directory) if case == "of another authority" else authority
    text = revocation_list(
        of, *(() if case == "not revoked" else (serial,)), days=-1 if case == "out of date" else 1
    )
    lists = authority.directory / "lists"
    lists.mkdir()
    (lists / "company.crl").write_text(text)
    environment = {**authority.environment, REVOCATION_LISTS: str(lists)}
    options = SessionOptions(skip_revocation_check=case == "skipped")

    found = await outcome(context, environment, options)

    assert (found if isinstance(found, str) else found.code) == code


@pytest.mark.parametrize("content", [b"", b"no list", b"\x30\x82\x01\x02"])
def test_a_list_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    """An unreadable list must not pass for an empty one."""
    path = tmp_path / "company.crl"
    path.write_bytes(content)
    with pytest.raises(Unreachable) as refusal:
        TlsContexts({REVOCATION_LISTS: str(path)}).get(TlsChecks())

    assert refusal.value.code == "crl-unusable"


def test_authorities_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """An SSL_CERT_FILE that is wrong would otherwise trust nobody, or everybody."""
    with pytest.raises(Unreachable) as refusal:
        TlsContexts({"SSL_CERT_FILE": str(tmp_path / "none.pem")}).get(TlsChecks())

    assert refusal.value.code == "authorities-unusable"


def test_hosts_with_the_same_checks_share_a_context(authority: Authority) -> None:
    """A thousand hosts hold the authorities once."""
    contexts = TlsContexts(authority.environment)

    assert contexts.get(TlsChecks()) is contexts.get(TlsChecks())
    assert contexts.get(TlsChecks()) is not contexts.get(TlsChecks(skip_name=True))


async def test_http_on_the_port_of_https(authority: Authority) -> None:
    """A listener without TLS is told as that; HTTP.SYS answers a handshake so."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/wsman"
    async with server, listening(Logins()) as listener:
        endpoint = listener.endpoint(url=url, options=SessionOptions(no_encryption=True))
        with pytest.raises(Unreachable) as refusal:
            await post(endpoint, authority.environment)

    assert refusal.value.code == "tls-handshake-failed"


@pytest.mark.parametrize("bound", [True, False])
async def test_a_login_over_https_is_bound_to_the_channel(
    authority: Authority, bound: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acceptor refuses a login that was made for another certificate: nobody can pass it on."""
    (tmp_path / "users").write_text(f"CORP:ops:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    context, certificate = authority.server()
    _, other = authority.server()
    logins = Logins(mechanisms=frozenset({"negotiate"}), tls_certificate=certificate if bound else other)
    login = Login(username="CORP\\ops", password=Secret(PASSWORD))
    async with listening(logins, context=context) as listener:
        endpoint = listener.endpoint(Authentication.NEGOTIATE, trusted=())
        if bound:
            assert await post(endpoint, authority.environment, login) == 200
            assert not listener.envelopes[0].sealed
        else:
            with pytest.raises(Unreachable) as refusal:
                await post(endpoint, authority.environment, login)
            assert refusal.value.code == "login-refused"


def client_login(authority: Authority, passphrase: str = "") -> tuple[Login, str]:
    """A login by certificate, and the fingerprint."""
    leaf = authority.ca.issue_cert("ops@example.com")
    key = leaf.private_key_pem.bytes()
    if passphrase:
        loaded = serialization.load_pem_private_key(key, None)
        key = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )
    login = Login(
        certificate=leaf.cert_chain_pems[0].bytes().decode(),
        private_key=Secret(key.decode()),
        passphrase=Secret(passphrase) if passphrase else None,
    )
    return login, Certificate.parse(der(leaf)).fingerprint


@pytest.mark.parametrize("passphrase", ["", "Öffne dich"])
async def test_a_certificate_logs_in(authority: Authority, passphrase: str) -> None:
    """Its text comes from the credential, its key encrypted or not; no file is made of it."""
    login, fingerprint = client_login(authority, passphrase)
    context = served(authority.ca.issue_cert("127.0.0.1"), authority.ca)
    logins = Logins(
        mechanisms=frozenset({"certificate"}), certificates={fingerprint: "CORP\\ops"}, tls_certificate=b"-"
    )
    async with listening(logins, context=context) as listener:
        assert await post(listener.endpoint(Authentication.DEFAULT), authority.environment, login) == 200

    assert [envelope.user for envelope in listener.envelopes] == ["CORP\\ops"]


async def test_a_certificate_that_nobody_is_mapped_to_is_refused(authority: Authority) -> None:
    """The mapping is made on the host."""
    login, _ = client_login(authority)
    context = served(authority.ca.issue_cert("127.0.0.1"), authority.ca)
    logins = Logins(mechanisms=frozenset({"certificate"}), tls_certificate=b"-")
    async with listening(logins, context=context) as listener:
        with pytest.raises(Unreachable) as refusal:
            await post(listener.endpoint(Authentication.DEFAULT), authority.environment, login)

    assert refusal.value.code == "login-refused"


def write(directory: Path, name: str, text: str) -> str:
    path = directory / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("pair", "belongs to another certificate"),
        ("missing", "cannot be read"),
        ("text", "is no PEM"),
        ("locked", "there is no passphrase"),
        ("passphrase", "does not open its private key"),
        ("expired", "expired on 2020-01-02"),
        ("key", "no private key"),
    ],
)
async def test_certificates_that_cannot_log_in(
    authority: Authority, tmp_path: Path, case: str, why: str
) -> None:
    """Each reason is told before anything is sent, and no key is in the message."""
    login, _ = client_login(authority, "sesame-open" if case in {"locked", "passphrase"} else "")
    other, _ = client_login(authority)
    assert login.certificate is not None
    assert login.private_key is not None
    assert other.private_key is not None
    settings = WinrmSettings(url="https://127.0.0.1:1/wsman", resource_uri="x")
    if case == "pair":
        login = Login(certificate=login.certificate, private_key=other.private_key)
    elif case == "missing":
        login = Login()
        settings = WinrmSettings(url=settings.url, resource_uri="x", certificate=str(tmp_path / "none.pem"))
    elif case == "text":
        login = Login(certificate="hello", private_key=login.private_key)
    elif case == "locked":
        login = Login(certificate=login.certificate, private_key=login.private_key)
    elif case == "passphrase":
        login = Login(
            certificate=login.certificate, private_key=login.private_key, passphrase=Secret("wrong-Wort")
        )
    elif case == "expired":
        leaf = authority.ca.issue_cert("ops@example.com", not_after=dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
        path = write(tmp_path, "both.pem", (leaf.private_key_and_cert_chain_pem.bytes()).decode())
        settings = WinrmSettings(url=settings.url, resource_uri="x", certificate=path)
        login = Login()
    else:
        login = Login(certificate=login.certificate)

    endpoint = Endpoint(host="web01", transport="winrm", winrm=settings)
    with pytest.raises(Unreachable) as refusal:
        await post(endpoint, authority.environment, login)

    assert refusal.value.code == "client-certificate-unusable"
    assert why in refusal.value.message
    assert "wrong-Wort" not in refusal.value.message
    assert "BEGIN" not in refusal.value.message


async def test_a_held_tls_connection_is_small_and_carries_long_envelopes(authority: Authority) -> None:
    """A thousand sessions hold two each; what asyncio would keep to read into is 256 KiB for every one."""
    context, _ = authority.server()
    logins = Logins(mechanisms=frozenset({"basic"}), passwords={"ops": PASSWORD}, unencrypted=True)
    body = b"0123456789abcdef" * 40_000
    async with listening(logins, context=context) as listener:
        wire = HttpWire(listener.endpoint(), OPS, contexts=TlsContexts(authority.environment))
        assert (await wire.post(body, timeout=WAIT)).body == body
        protocol = getattr(wire._idle[0].connection._transport, "_ssl_protocol")  # noqa: B009 - of asyncio
        assert len(protocol._ssl_buffer) <= 64 << 10
        await wire.close()
