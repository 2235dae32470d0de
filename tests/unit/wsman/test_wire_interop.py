"""Pypsrp's own client against the acceptor: what our client is tested with is not made to its measure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypsrp.wsman import WSMan

from runner.lab.winrm_acceptor import Logins
from tests.support import kdc
from tests.support.winrm_server import Authority, WinrmListener, listening

PASSWORD = "Kaffee+Kuchen 3"
BODY = b"<envelope>" + b"0123456789" * 5000 + b"</envelope>"


@pytest.fixture(autouse=True)
def ntlm_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users"
    users.write_text(f"CORP:ops:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))


@pytest.fixture(scope="module")
def made_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Realm]:
    with kdc.realm(tmp_path_factory.mktemp("realm")) as made:
        made.add_user("ops", PASSWORD)
        made.add_service("HTTP/localhost")
        yield made


def post(listener: WinrmListener, auth: str, user: str, **options: Any) -> bytes:
    parts = urlsplit(listener.url)
    settings = {"ssl": parts.scheme == "https", "encryption": "auto", "no_proxy": True, **options}
    client = WSMan(
        str(parts.hostname), port=parts.port, auth=auth, username=user, password=PASSWORD, **settings
    )
    with client:
        sent = client.transport.send(BODY)
        assert sent == client.transport.send(BODY)
    return bytes(sent)


@pytest.mark.parametrize("auth", ["negotiate", "ntlm", "credssp"])
async def test_pypsrp_logs_in_and_seals(auth: str) -> None:
    """By NTLM and CredSSP, 50 KiB both ways, several envelopes over one login."""
    logins = Logins(mechanisms=frozenset({"negotiate", "credssp"}))
    async with listening(logins, host="localhost") as listener:
        assert await asyncio.to_thread(post, listener, auth, "CORP\\ops") == BODY

    assert [envelope.sealed for envelope in listener.envelopes] == [True, True]


@pytest.mark.skipif(bool(kdc.missing()), reason=kdc.missing() or "Kerberos is here")
@pytest.mark.parametrize("mechanism", ["negotiate", "kerberos"])
async def test_pypsrp_logs_in_by_kerberos(
    made_realm: kdc.Realm, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under both names that listeners give it."""
    for name, value in made_realm.environment.items():
        monkeypatch.setenv(name, value)
    async with listening(Logins(mechanisms=frozenset({mechanism})), host="localhost") as listener:
        body = await asyncio.to_thread(
            post, listener, "kerberos", "ops@EXAMPLE.COM", negotiate_service="HTTP"
        )

    assert body == BODY
    assert [(envelope.user, envelope.sealed) for envelope in listener.envelopes] == [
        ("ops@EXAMPLE.COM", True)
    ] * 2


async def test_pypsrp_logs_in_by_basic_over_https(tmp_path: Path) -> None:
    """With the authority's certificate checked."""
    authority = Authority(tmp_path)
    context, certificate = authority.server("localhost")
    logins = Logins(mechanisms=frozenset({"basic"}), passwords={"ops": PASSWORD}, tls_certificate=certificate)
    trusted = authority.environment["SSL_CERT_FILE"]
    async with listening(logins, context=context, host="localhost") as listener:
        assert await asyncio.to_thread(post, listener, "basic", "ops", cert_validation=trusted) == BODY


async def test_pypsrp_binds_its_login_to_the_tls_channel(tmp_path: Path) -> None:
    """The acceptor checks the channel binding, so a client that binds passes and one that does not is refused."""
    authority = Authority(tmp_path)
    context, certificate = authority.server("localhost")
    logins = Logins(mechanisms=frozenset({"negotiate"}), tls_certificate=certificate)
    trusted = authority.environment["SSL_CERT_FILE"]
    async with listening(logins, context=context, host="localhost") as listener:
        sent = await asyncio.to_thread(post, listener, "negotiate", "CORP\\ops", cert_validation=trusted)

    assert sent == BODY
    assert not any(envelope.sealed for envelope in listener.envelopes)
