"""pypsrp's own client against the lab's front end: an implementation that was written and proven elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from runner.lab.certificates import Flaw
from runner.lab.wsman_settings import Quotas
from tests.support import kdc
from tests.support.winrm_lab import PASSWORD, USER, WinrmHost, child, front_end


def client(host: WinrmHost, **settings: Any) -> WSMan:
    """A client as the host wants it."""
    return WSMan(
        **{
            "server": "127.0.0.1",
            "port": host.port,
            "ssl": False,
            "auth": "basic",
            "encryption": "never",
            "username": host.user,
            "password": host.password,
            "no_proxy": True,
            **settings,
        },
    )


def in_pool(wsman: WSMan, use: Callable[[RunspacePool], Any], **settings: Any) -> Any:
    """Open a pool, use it, close it."""
    with wsman, RunspacePool(wsman, **settings) as pool:
        return use(pool)


def script(text: str, *values: Any) -> Callable[[RunspacePool], PowerShell]:
    """Run a script with input; the pipeline when it is over."""

    def use(pool: RunspacePool) -> PowerShell:
        shell = PowerShell(pool)
        shell.add_script(text)
        shell.invoke(list(values) or None)  # type: ignore[arg-type] # its annotation forgets lists
        return shell

    return use


async def run(host: WinrmHost, text: str, *values: Any, **settings: Any) -> PowerShell:
    """Run a script in a pool of its own, in a thread, as this client blocks."""
    done = await asyncio.to_thread(in_pool, client(host, **settings), script(text, *values))
    assert isinstance(done, PowerShell)
    return done


async def test_a_script_runs() -> None:
    """Output comes back in order, the shell is opened once and closed."""
    async with front_end() as host:
        assert (await run(host, "1..3")).output == [1, 2, 3]
        assert (host.counters.shells_opened, host.counters.pipelines, host.shells) == (1, 1, 0)


@pytest.mark.pwsh
async def test_a_script_runs_in_a_child(tmp_path: Path) -> None:
    """Each shell is a process, which is gone afterwards."""
    async with front_end(engine=child(tmp_path)) as host:
        assert (await run(host, "1..3")).output == [1, 2, 3]
        assert host.shells == 0


async def test_streams_stay_apart() -> None:
    """Each record comes in its own stream."""
    text = "1; Write-Warning 'w1'; 2; Write-Error 'e1'; 3; Write-Host 'h'; 4; Write-Verbose v -Verbose; 5"
    async with front_end() as host:
        shell = await run(host, text)
        assert shell.output == [1, 2, 3, 4, 5]
        assert [str(record.message) for record in shell.streams.warning] == ["w1"]
        assert [str(record) for record in shell.streams.error] == ["e1"]
        assert [str(record.message) for record in shell.streams.verbose] == ["v"]


async def test_input_arrives() -> None:
    """Values given to a pipeline reach it in order."""
    async with front_end() as host:
        assert (await run(host, "$input | % { $_ * 2 }", 1, 2, 3, 4, 5)).output == [2, 4, 6, 8, 10]


async def test_two_pools_do_not_mix() -> None:
    """Two clients at once have a shell each."""
    async with front_end() as host:
        shells = await asyncio.gather(run(host, "1..3"), run(host, "'usable'"))
        assert [shell.output for shell in shells] == [[1, 2, 3], ["usable"]]
        assert host.counters.shells_opened == 2


async def test_a_stop_ends_a_pipeline() -> None:
    """A script that would never end is over once it is told to stop; this client closes the command by that."""

    def stopped(pool: RunspacePool) -> PowerShell:
        shell = PowerShell(pool)
        shell.add_script("while ($true) { }")
        shell.begin_invoke()
        shell.stop()
        assert shell.state == PSInvocationState.STOPPED
        return script("'usable'")(pool)

    async with front_end() as host:
        shell = await asyncio.to_thread(in_pool, client(host), stopped)
        assert shell.output == ["usable"]
        assert host.counters.operations["Signal"] >= 1


async def test_a_small_envelope_is_filled_and_not_exceeded() -> None:
    """A client that takes small answers gets all there is, in more of them."""
    text = "process { \"<$_>\" } end { 'end' }"
    async with front_end() as host:
        shell = await run(host, text, "a", "b", max_envelope_size=51_200)
        assert shell.output == ["<a>", "<b>", "end"]


async def test_the_size_of_an_envelope_is_told() -> None:
    """What `winrm get winrm/config` says is what the service keeps to."""

    def size(wsman: WSMan) -> int:
        with wsman:
            wsman.update_max_payload_size()
            return wsman.max_envelope_size

    async with front_end(quotas=Quotas(max_envelope_size_kb=400)) as host:
        assert await asyncio.to_thread(size, client(host)) == 400 * 1024


async def test_a_shell_tells_that_it_is_alive() -> None:
    """The state of a shell can be asked for, and a dead engine is told as such."""

    def alive(pool: RunspacePool) -> list[bool]:
        before = pool.is_alive()
        loop.call_soon_threadsafe(host.front.kill_engines)
        while pool.is_alive():
            pass
        return [before, pool.is_alive()]

    async with front_end() as host:
        loop = asyncio.get_running_loop()
        assert await asyncio.to_thread(in_pool, client(host), alive) == [True, False]


async def test_an_idle_poll_times_out_and_is_repeated() -> None:
    """The fault of a poll without output ends nothing."""

    def waiting(pool: RunspacePool) -> PowerShell:
        shell = PowerShell(pool)
        shell.add_script("while ($true) { }")
        shell.begin_invoke()
        shell.poll_invoke(timeout=1)
        assert shell.state == PSInvocationState.RUNNING
        shell.stop()
        return shell

    async with front_end() as host:
        await asyncio.to_thread(in_pool, client(host, operation_timeout=1), waiting)


async def test_scripts_are_refused_where_only_commands_run() -> None:
    """A constrained endpoint says so as PowerShell does, and runs the commands it offers."""

    def mailbox(pool: RunspacePool) -> tuple[str, str]:
        refused = PowerShell(pool)
        refused.add_script("1..3")
        refused.invoke()
        assert refused.state == PSInvocationState.FAILED
        allowed = PowerShell(pool)
        allowed.add_cmdlet("Get-Mailbox").add_argument("dan")
        [found] = allowed.invoke()
        return str(refused.streams.error[0].fq_error), str(found.extended_properties["Alias"])

    async with front_end() as host:
        said = await asyncio.to_thread(
            in_pool, client(host), mailbox, configuration_name="Microsoft.Exchange"
        )
        assert said == ("ScriptsNotAllowed", "dan")


async def test_an_unknown_configuration_is_refused() -> None:
    """The fault is the one that PowerShell calls InvalidResourceUri."""
    async with front_end() as host:
        with pytest.raises(WSManFaultError) as told:
            await asyncio.to_thread(in_pool, client(host), script("1..3"), configuration_name="Nowhere")
        assert told.value.code == 2150858811


async def test_a_wrong_password_is_refused() -> None:
    """Nothing is opened."""
    async with front_end() as host:
        with pytest.raises(AuthenticationError):
            await run(host, "1..3", password="wrong")
        assert host.counters.refused_logins > 0
        assert host.counters.shells_opened == 0


async def test_the_quota_of_shells_counts() -> None:
    """One shell too many is refused with the quota's own fault, and one that ends makes room."""
    together = threading.Barrier(2, timeout=30)

    def hold(pool: RunspacePool) -> None:
        together.wait()
        together.wait()

    async with front_end(quotas=Quotas(max_shells_per_user=1)) as host:
        holding = asyncio.create_task(asyncio.to_thread(in_pool, client(host), hold))
        await asyncio.to_thread(together.wait)
        with pytest.raises(WSManFaultError) as told:
            await run(host, "1..3")
        assert told.value.code == 2150859173
        await asyncio.to_thread(together.wait)
        await holding
        assert (await run(host, "1..3")).output == [1, 2, 3]


@pytest.fixture
def ntlm_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A user that NTLM knows: name and password."""
    file = tmp_path / "ntlm"
    file.write_text(f"LAB:{USER}:{PASSWORD.replace(':', '')}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(file))
    return f"LAB\\{USER}", PASSWORD.replace(":", "")


async def test_messages_are_encrypted_over_http(ntlm_users: tuple[str, str]) -> None:
    """NTLM logs a connection in once and seals what goes over it; plain text is not taken."""
    name, password = ntlm_users
    async with front_end(unencrypted=False) as host:
        shell = await run(host, "1..3", auth="ntlm", encryption="always", username=name, password=password)
        assert shell.output == [1, 2, 3]
        assert host.counters.logins == {"Negotiate": 1}


async def test_a_wrong_password_of_ntlm_is_refused(ntlm_users: tuple[str, str]) -> None:
    """Nothing is opened."""
    async with front_end(unencrypted=False) as host:
        with pytest.raises(AuthenticationError):
            await run(
                host, "1..3", auth="ntlm", encryption="always", username=ntlm_users[0], password="wrong"
            )
        assert host.counters.shells_opened == 0


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
async def test_https_with_an_authority_of_its_own(auth: str, ntlm_users: tuple[str, str]) -> None:
    """Both log in over TLS; NTLM is bound to the server's certificate."""
    name, password = ntlm_users if auth == "ntlm" else (USER, PASSWORD)
    async with front_end(tls=Flaw.NONE) as host:
        shell = await run(
            host,
            "1..3",
            ssl=True,
            auth=auth,
            encryption="auto",
            cert_validation=str(host.ca_file),
            username=name,
            password=password,
        )
        assert shell.output == [1, 2, 3]


async def test_a_certificate_instead_of_a_password() -> None:
    """The client's certificate says who it is."""
    async with front_end(tls=Flaw.NONE) as host:
        certificate, key = host.client_certificate
        shell = await run(
            host,
            "1..3",
            ssl=True,
            auth="certificate",
            encryption="auto",
            cert_validation=str(host.ca_file),
            certificate_pem=str(certificate),
            certificate_key_pem=str(key),
        )
        assert shell.output == [1, 2, 3]


async def test_credssp_delegates_the_password(ntlm_users: tuple[str, str]) -> None:
    """The host has the user's name and password afterwards, to go on to another one with them."""
    name, password = ntlm_users
    async with front_end(mechanisms=frozenset({"credssp"}), unencrypted=False) as host:
        shell = await run(
            host,
            "1..3",
            auth="credssp",
            encryption="always",
            credssp_auth_mechanism="ntlm",
            username=name,
            password=password,
        )
        assert shell.output == [1, 2, 3]
        [delegated] = host.front.delegated
        assert getattr(delegated, "username", None) in {name, USER}
        assert getattr(delegated, "password", None) == password


@pytest.mark.skipif(bool(kdc.missing()), reason=kdc.missing() or "there is Kerberos")
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
async def test_a_ticket_logs_in(auth: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kerberos seals messages over http, by its own name or found by Negotiate."""
    with kdc.realm(tmp_path) as realm:
        for name, value in realm.environment.items():
            monkeypatch.setenv(name, value)
        realm.add_service("HTTP/localhost")
        realm.add_user("ops", "a pass word")
        await asyncio.to_thread(realm.get_ticket, "ops", "a pass word")
        async with front_end(mechanisms=frozenset({auth}), unencrypted=False) as host:
            shell = await run(
                host,
                "1..3",
                server="localhost",
                auth=auth,
                encryption="always",
                negotiate_service="HTTP",
                username=None,
                password=None,
            )
            assert shell.output == [1, 2, 3]
            assert host.counters.logins == {auth.capitalize(): 1}
