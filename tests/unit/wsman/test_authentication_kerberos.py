"""Logins by Kerberos against a real KDC, and what each thing it is short of is called."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import spnego._gss

from runner.errors import Unreachable
from runner.lab.winrm_acceptor import Logins
from runner.transport.endpoint import Authentication, SessionOptions
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.wire import HttpWire
from tests.support import kdc
from tests.support.winrm_server import WinrmListener, listening

pytestmark = pytest.mark.skipif(bool(kdc.missing()), reason=kdc.missing() or "Kerberos is here")

PASSWORD = "Kaffee+Kuchen 3"
OPS = Login(username="ops@EXAMPLE.COM", password=Secret(PASSWORD))
KERBEROS = Logins(mechanisms=frozenset({"negotiate", "kerberos"}))
IMPLICIT = Authentication.NEGOTIATE_WITH_IMPLICIT_CREDENTIAL
WAIT = 60.0


@pytest.fixture(scope="module")
def made_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Realm]:
    with kdc.realm(tmp_path_factory.mktemp("realm")) as made:
        made.add_user("ops", PASSWORD)
        made.add_service("HTTP/localhost")
        yield made


@pytest.fixture
def realm(made_realm: kdc.Realm, monkeypatch: pytest.MonkeyPatch) -> kdc.Realm:
    """The realm, with no ticket in its cache."""
    for name, value in made_realm.environment.items():
        monkeypatch.setenv(name, value)
    (made_realm.directory / "tickets").unlink(missing_ok=True)
    return made_realm


async def send(
    listener: WinrmListener,
    authentication: Authentication,
    login: Login | None,
    options: SessionOptions | None = None,
) -> bytes:
    endpoint = listener.endpoint(authentication, options=options, trusted=())
    wire = HttpWire(endpoint, login)
    try:
        return (await wire.post(b"<envelope>secret text</envelope>", timeout=WAIT)).body
    finally:
        await wire.close()


async def refusal(
    authentication: Authentication, login: Login | None, host: str = "localhost"
) -> Unreachable:
    async with listening(KERBEROS, host=host) as listener:
        with pytest.raises(Unreachable) as raised:
            await send(listener, authentication, login)
    return raised.value


@pytest.mark.parametrize("mechanisms", [{"negotiate"}, {"negotiate", "kerberos"}, {"kerberos"}])
@pytest.mark.parametrize("authentication", [Authentication.KERBEROS, Authentication.NEGOTIATE])
async def test_a_password_gets_a_ticket_and_bodies_are_sealed(
    realm: kdc.Realm, authentication: Authentication, mechanisms: set[str]
) -> None:
    """Whether the listener calls it Negotiate or Kerberos; NTLM would not pass, for no host is trusted here."""
    async with listening(Logins(mechanisms=frozenset(mechanisms)), host="localhost") as listener:
        assert b"secret text" in await send(listener, authentication, OPS)

    assert [(envelope.user, envelope.sealed) for envelope in listener.envelopes] == [
        ("ops@EXAMPLE.COM", True)
    ]
    assert all(b"secret" not in request.body for request in listener.requests)


@pytest.mark.parametrize("authentication", [Authentication.DEFAULT, Authentication.KERBEROS, IMPLICIT])
async def test_the_controllers_own_ticket_logs_in(realm: kdc.Realm, authentication: Authentication) -> None:
    """No credential is needed then."""
    realm.get_ticket("ops", PASSWORD)
    async with listening(KERBEROS, host="localhost") as listener:
        await send(listener, authentication, None)

    assert [envelope.user for envelope in listener.envelopes] == ["ops@EXAMPLE.COM"]


async def test_include_port_in_spn_asks_for_the_service_of_the_port(realm: kdc.Realm) -> None:
    """The service's name is then `HTTP/localhost:PORT`."""
    options = SessionOptions(include_port_in_spn=True)
    async with listening(KERBEROS, host="localhost") as listener:
        with pytest.raises(Unreachable) as unknown:
            await send(listener, Authentication.KERBEROS, OPS, options)
        realm.add_service(f"HTTP/localhost:{listener.url.split(':')[2].split('/')[0]}")
        await send(listener, Authentication.KERBEROS, OPS, options)

    assert unknown.value.code == "kerberos-service-unknown"


async def test_no_ticket(realm: kdc.Realm) -> None:
    """Without a ticket and a credential the way out is kinit."""
    error = await refusal(IMPLICIT, None)

    assert error.code == "kerberos-no-ticket"
    assert "kinit" in error.hints[0]


async def test_an_expired_ticket(realm: kdc.Realm) -> None:
    """A ticket that is over is told apart from none."""
    realm.get_ticket("ops", PASSWORD, lifetime="1s")
    realm.await_expiry()

    error = await refusal(IMPLICIT, None)

    assert error.code == "kerberos-ticket-expired", error.message


@pytest.mark.parametrize(
    ("login", "code"),
    [
        (Login(username="nobody@EXAMPLE.COM", password=Secret("x")), "kerberos-principal-unknown"),
        (Login(username="ops@EXAMPLE.COM", password=Secret("wrong-Wort")), "login-refused"),
        (Login(username="ops@example.com", password=Secret(PASSWORD)), "kerberos-kdc-unreachable"),
    ],
)
async def test_wrong_users_are_told_apart(realm: kdc.Realm, login: Login, code: str) -> None:
    """An unknown user, a wrong password and an unknown realm have different remedies."""
    error = await refusal(Authentication.KERBEROS, login)

    assert error.code == code
    assert "wrong-Wort" not in error.message


async def test_a_service_that_is_not_registered(realm: kdc.Realm) -> None:
    """An IP address has no service in the realm."""
    assert (await refusal(Authentication.KERBEROS, OPS, "127.0.0.1")).code == "kerberos-service-unknown"


async def test_a_realm_whose_kdc_is_down(
    realm: kdc.Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens where krb5.conf says."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    text = (realm.directory / "krb5.conf").read_text().replace(str(realm.port), str(free))
    (tmp_path / "krb5.conf").write_text(text)
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))

    assert (await refusal(Authentication.KERBEROS, OPS)).code == "kerberos-kdc-unreachable"


async def test_an_installation_without_kerberos(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint is what to install."""
    monkeypatch.setattr(spnego._gss, "HAS_GSSAPI", False)
    error = await refusal(Authentication.KERBEROS, OPS)

    assert error.code == "kerberos-missing"
    assert "runner[kerberos]" in error.hints[0]
