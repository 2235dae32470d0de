"""Reaching a host: jump hosts, configuration files, and each way in which it fails, told by its own code."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.values import Secret
from tests.contract.ssh_fixtures import connected, endpoint, needs_sshd, refused, run, transport
from tests.support import openssh
from tests.support.openssh import OpenSsh

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    with openssh.running(tmp_path_factory.mktemp("inner")) as running:
        yield running


@pytest.fixture
def gate(server: OpenSsh, tmp_path: Path) -> Iterator[OpenSsh]:
    """A jump host that the client of ``server`` may log in to, and whose key it knows."""
    with openssh.running(tmp_path / "gate") as running:
        (running.folder / "authorized_keys").write_bytes(server.client_key.with_suffix(".pub").read_bytes())
        before = server.known_hosts.read_text()
        server.known_hosts.write_text(before + running.known_hosts.read_text())
        yield running
        server.known_hosts.write_text(before)


@pytest.fixture
def config(server: OpenSsh) -> Iterator[Callable[[str], None]]:
    """Writes the client's ``~/.ssh/config``."""
    path = server.home / ".ssh" / "config"

    def write(text: str) -> None:
        path.write_text(text)

    yield write
    path.unlink(missing_ok=True)


async def test_jump_host_is_shared(server: OpenSsh, gate: OpenSsh) -> None:
    """Twenty hosts behind one jump host that ask at once use one login to it."""
    way = transport(server)
    jump = (endpoint(gate, "gate"),)
    connections = await asyncio.gather(
        *(way.connect(endpoint(server, f"web{number}", jump=jump), None) for number in range(20))
    )
    results = await asyncio.gather(*(run(connection, ["echo", "hi"]) for connection in connections))
    assert [stdout for _, stdout, _ in results] == [b"hi\n"] * 20
    assert gate.logins() == 1
    await asyncio.gather(*(connection.close() for connection in connections))
    await way.close()
    await way.close()


async def test_lost_jump_host_is_opened_again(server: OpenSsh, gate: OpenSsh) -> None:
    """When the jump host's link broke, the next connection opens it anew."""
    way = transport(server)
    host = endpoint(server, jump=(endpoint(gate, "gate"),))
    first = await way.connect(host, None)
    gate.signal_children(signal.SIGKILL)
    while not first.lost:
        await asyncio.sleep(0.01)
    second = await way.connect(host, None)
    assert (await run(second, ["echo", "hi"]))[1] == b"hi\n"
    assert gate.logins() == 2
    for connection in (first, second):
        await connection.close()
    await way.close()


async def test_jump_host_with_its_own_credential(server: OpenSsh, gate: OpenSsh) -> None:
    """A jump host logs in with its own credential, by name."""
    logins = {"gate": Login(username=gate.user, private_key=Secret(gate.client_key.read_text()))}
    (gate.folder / "authorized_keys").write_bytes(gate.client_key.with_suffix(".pub").read_bytes())
    way = transport(server, logins=logins.get)
    jump = (endpoint(gate, "gate", credential="gate"),)
    async with connected(server, through=way, jump=jump) as connection:
        assert (await run(connection, ["echo", "hi"]))[1] == b"hi\n"
    await way.close()


async def test_two_jump_hosts(server: OpenSsh, gate: OpenSsh) -> None:
    """Several jump hosts are gone through from the outermost to the innermost."""
    jump = (endpoint(gate, "gate"), endpoint(server, "inner"))
    async with connected(server, jump=jump) as connection:
        assert (await run(connection, ["echo", "hi"]))[1] == b"hi\n"
    assert gate.logins() == 1


async def test_proxy_jump_of_the_configuration(
    server: OpenSsh, gate: OpenSsh, config: Callable[[str], None]
) -> None:
    """ProxyJump in ``~/.ssh/config`` is followed, the jump host's own block included."""
    config(
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n"
        f"Host web*\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump gate\n"
    )
    async with connected(server, address="web1", port=None) as connection:
        assert (await run(connection, ["echo", "hi"]))[1] == b"hi\n"
    assert gate.logins() == 1


async def test_no_jump_says_so(server: OpenSsh, gate: OpenSsh, config: Callable[[str], None]) -> None:
    """An empty ``jump`` goes directly, whatever the configuration says."""
    config(f"Host *\n  ProxyJump 127.0.0.1:{gate.port}\n")
    async with connected(server, jump=()) as connection:
        assert not connection.lost
    assert gate.logins() == 0


async def test_proxy_command(server: OpenSsh, config: Callable[[str], None]) -> None:
    """ProxyCommand is followed, with its tokens."""
    relay = (
        "python3 -c 'import socket,sys,threading,os; s=socket.create_connection((sys.argv[1],int(sys.argv[2])));"
        't=threading.Thread(target=lambda:[os.write(1,d) for d in iter(lambda:s.recv(65536),b"")],daemon=True);'
        't.start();[s.sendall(d) for d in iter(lambda:os.read(0,65536),b"")]\' %h %p'
    )
    config(f"Host *\n  ProxyCommand {relay}\n")
    async with connected(server) as connection:
        assert (await run(connection, ["echo", "hi"]))[1] == b"hi\n"


async def test_jump_host_that_does_not_answer(server: OpenSsh) -> None:
    """A host behind a jump host that cannot be reached is told with the jump host's name and error."""
    dead = Endpoint(host="gate", transport="ssh", address="127.0.0.1", port=openssh.free_port())
    error = await refused(server, jump=(dead,))
    assert error.code == "jump-unreachable"
    assert "`gate` of `web1`" in error.message
    assert "refused the connection" in error.message


async def test_host_that_the_jump_host_cannot_reach(server: OpenSsh, gate: OpenSsh) -> None:
    """What the jump host cannot reach is told as that, not as the jump host's fault."""
    error = await refused(server, jump=(endpoint(gate, "gate"),), port=openssh.free_port())
    assert error.code == "unreachable-from-jump"


async def test_jump_host_that_forwards_nothing(server: OpenSsh, tmp_path: Path) -> None:
    """A jump host without forwarding is told with the word of sshd_config that allows it."""
    with openssh.running(tmp_path / "closed", {"AllowTcpForwarding": "no"}) as closed:
        (closed.folder / "authorized_keys").write_bytes(server.client_key.with_suffix(".pub").read_bytes())
        jump = (endpoint(closed, "gate", known_hosts=str(closed.known_hosts)),)
        error = await refused(server, jump=jump)
    assert error.code == "jump-refused"
    assert "AllowTcpForwarding" in error.hints[0]


async def test_circle_of_jump_hosts(server: OpenSsh, config: Callable[[str], None]) -> None:
    """Hosts that are each other's jump hosts are an error, not an endless wait."""
    config("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    error = await refused(server, address="a")
    assert "itself reached through it" in error.message
    assert error.may_have_run is False


async def test_name_that_does_not_exist(server: OpenSsh) -> None:
    """A name without an address is told as that."""
    assert (await refused(server, address="no-such-host.invalid")).code == "name-not-resolved"


async def test_port_that_nothing_listens_on(server: OpenSsh) -> None:
    """A refused TCP connection has its own code."""
    error = await refused(server, port=openssh.free_port())
    assert error.code == "connection-refused"
    assert error.may_have_run is False


@asynccontextmanager
async def listening(answer: bytes, *, then_close: bool = False) -> AsyncIterator[int]:
    """A server that says ``answer`` and nothing more; gives its port."""
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(answer)
        await writer.drain()
        if then_close:
            writer.close()

    serving = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield serving.sockets[0].getsockname()[1]
    finally:
        serving.close()
        for writer in writers:
            writer.close()
        await serving.wait_closed()


@pytest.mark.parametrize(
    ("answer", "phase"),
    [(b"", "did not say that it speaks SSH"), (b"SSH-2.0-Silent\r\n", "handshake did not end")],
)
async def test_server_that_hangs(server: OpenSsh, answer: bytes, phase: str) -> None:
    """A server that hangs before its greeting, or after it, is a timeout that says which."""
    async with listening(answer) as port:
        error = await refused(server, port=port, connect_timeout=0.5)
    assert error.code == "connect-timeout"
    assert phase in error.message
    assert "0.5 s" in error.message


async def test_server_that_hangs_holds_up_nobody(server: OpenSsh) -> None:
    """Forty hanging servers take no place from a host that answers."""
    async with listening(b"") as port:
        way = transport(server)
        hanging = [
            asyncio.create_task(way.connect(endpoint(server, f"h{n}", port=port, connect_timeout=60), None))
            for n in range(40)
        ]
        await asyncio.sleep(0.1)
        connection = await way.connect(endpoint(server), None)
        assert not any(task.done() for task in hanging)
        await connection.close()
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_black_hole(server: OpenSsh) -> None:
    """A host that answers nothing at all is a timeout of TCP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        # The queue of a listener that nobody accepts from is full after this; further connections are dropped.
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        error = await refused(server, port=port, connect_timeout=0.5)
        for filler in fillers:
            filler.close()
    assert error.code == "connect-timeout"
    assert "no answer to the TCP connection" in error.message


async def test_server_that_is_none(server: OpenSsh) -> None:
    """Something else than SSH is told as what it is, soon."""
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n", then_close=True) as port:
        error = await refused(server, port=port, connect_timeout=20)
    assert error.code in {"connection-dropped", "no-common-algorithm", "ssh-protocol-error"}


async def test_option_that_is_not_followed(server: OpenSsh) -> None:
    """An option that the runner does not follow is refused before anything connects."""
    error = await refused(server, options=(("ControlMaster", "auto"),))
    assert error.code == "ssh-config-invalid"
    assert "`ControlMaster`" in error.message


async def test_algorithm_that_does_not_exist(server: OpenSsh) -> None:
    """A wrong value of an option is told, not a traceback."""
    error = await refused(server, options=(("Ciphers", "rot13"),))
    assert error.code == "ssh-option-invalid"


async def test_default_max_startups(server: OpenSsh, tmp_path: Path) -> None:
    """Fifty connections at once come through sshd's default MaxStartups, which drops some at random."""
    with openssh.running(tmp_path / "strict", {"MaxStartups": "10:30:100"}) as strict:
        way = transport(strict)
        made = await asyncio.gather(
            *(way.connect(endpoint(strict, f"web{number}"), None) for number in range(50)),
            return_exceptions=True,
        )
        for connection in made:
            if not isinstance(connection, BaseException):
                await connection.close()
    assert [each for each in made if isinstance(each, Unreachable)] == []
