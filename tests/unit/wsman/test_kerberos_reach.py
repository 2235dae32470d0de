"""Many logins by password at once while no KDC can be had: Kerberos is asked for once, and NTLM logs everybody in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runner.errors import Unreachable
from runner.lab.winrm_acceptor import Logins
from runner.transport.endpoint import Authentication
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.kerberos_reach import REMEMBERED, KerberosReach
from runner.wsman.wire import HttpWire
from tests.support.winrm_server import WinrmListener, listening

pytest.importorskip("krb5", reason="without Kerberos nobody is asked")

PASSWORD = Secret("Grüße-7!")
OPS = Login(username="ops", password=PASSWORD)
NEGOTIATE = Logins(mechanisms=frozenset({"negotiate"}))
WAIT = 60.0
MANY = 40


class SilentKdc:
    """Hangs up on everybody who asks for a ticket, and counts them."""

    asked = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.asked += 1
        writer.transport.abort()


@pytest.fixture
async def silent_kdc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SilentKdc]:
    """The KDC of the default realm."""
    users, config, kdc = tmp_path / "users", tmp_path / "krb5.conf", SilentKdc()
    users.write_text(f":ops:{PASSWORD.reveal()}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    async with await asyncio.start_server(kdc.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        config.write_text(
            "[libdefaults]\n default_realm = SILENT.TEST\n dns_lookup_kdc = false\n udp_preference_limit = 1\n"
            f"[realms]\n SILENT.TEST = {{\n  kdc = 127.0.0.1:{port}\n }}\n"
        )
        monkeypatch.setenv("KRB5_CONFIG", str(config))
        yield kdc


async def log_in(
    listener: WinrmListener, reach: KerberosReach, login: Login = OPS, *, trusted: tuple[str, ...] = ("*",)
) -> bytes:
    """Send an envelope over a wire of its own; gives what came back."""
    endpoint = listener.endpoint(Authentication.NEGOTIATE, trusted=trusted)
    wire = HttpWire(endpoint, login, kerberos=reach)
    try:
        return (await wire.post(b"<envelope/>", timeout=WAIT)).body
    finally:
        await wire.close()


async def test_many_logins_at_once_ask_for_one_ticket(silent_kdc: SilentKdc) -> None:
    """Forty wires log in by NTLM and their bodies are sealed, and the KDC is bothered no more than by one."""
    async with listening(NEGOTIATE) as listener:
        await log_in(listener, KerberosReach())
        by_one = silent_kdc.asked
        reach = KerberosReach()
        answers = await asyncio.gather(*(log_in(listener, reach) for _ in range(MANY)))

    assert answers == [b"<envelope/>"] * MANY
    assert all(envelope.sealed for envelope in listener.envelopes)
    assert 0 < silent_kdc.asked - by_one <= by_one


async def test_another_credential_asks_for_itself(silent_kdc: SilentKdc) -> None:
    """What is known of one user or password says nothing of another."""
    reach = KerberosReach()
    seen = []
    for username, password in (("ops", "a"), ("dev", "a"), ("ops", "b"), ("ops", "a")):
        await reach.gives_ticket(username, Secret(password))
        seen.append(silent_kdc.asked)

    assert 0 < seen[0] < seen[1] < seen[2] == seen[3]


async def test_a_minute_later_kerberos_is_asked_for_again(silent_kdc: SilentKdc) -> None:
    """A KDC that was away may be there again."""
    clock = [0.0]
    reach = KerberosReach(lambda: clock[0])
    seen = []
    for clock[0] in (0.0, REMEMBERED - 1, REMEMBERED + 1):
        assert not await reach.gives_ticket("ops", PASSWORD)
        seen.append(silent_kdc.asked)

    assert 0 < seen[0] == seen[1] < seen[2]


async def test_who_gives_up_waiting_does_not_end_the_question(silent_kdc: SilentKdc) -> None:
    """One login that is cancelled leaves the ticket to the others."""
    reach = KerberosReach()
    first = asyncio.create_task(reach.gives_ticket("ops", PASSWORD))
    second = asyncio.create_task(reach.gives_ticket("ops", PASSWORD))
    await asyncio.sleep(0)
    first.cancel()

    assert await second is False
    assert first.cancelled()


async def test_a_host_that_is_not_trusted_still_gets_no_ntlm(silent_kdc: SilentKdc) -> None:
    """Over http NTLM stays refused where Kerberos is out of reach, known or not, and no token goes out."""
    reach = KerberosReach()
    async with listening(NEGOTIATE) as listener:
        for _ in range(2):
            with pytest.raises(Unreachable) as refusal:
                await log_in(listener, reach, trusted=())
            assert refusal.value.code == "ntlm-untrusted-host"

    assert listener.requests == []
