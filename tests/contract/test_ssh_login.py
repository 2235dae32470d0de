"""Logging in to a real OpenSSH with every kind of key, and what is told where it refuses."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncssh
import pytest

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint, HostKeyChecking
from runner.transport.port import Login
from runner.transport.ssh import SshTransport
from runner.values import Secret
from tests.contract.ssh_fixtures import connected, endpoint, needs_sshd, refused, run, transport
from tests.support import openssh
from tests.support.openssh import OpenSsh, make_key, sign

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    folder = tmp_path_factory.mktemp("sshd")
    authority = make_key(folder / "authority")
    settings = {"TrustedUserCAKeys": f"{authority}.pub", "MaxAuthTries": "3"}
    with openssh.running(folder, settings) as running:
        yield running


def authorize(server: OpenSsh, key: Path) -> None:
    """Let a key in."""
    with (server.folder / "authorized_keys").open("a") as file:
        file.write(key.with_name(f"{key.name}.pub").read_text())


@pytest.fixture
def stranger(server: OpenSsh, tmp_path: Path) -> OpenSsh:
    """The server for somebody with an empty ``~/.ssh`` but known_hosts."""
    home = tmp_path / "stranger"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts.read_text())
    return OpenSsh(server.folder, server.port, server.process, home, server.client_key, server.user)


async def test_default_key(server: OpenSsh) -> None:
    """Without a credential the default keys of ``~/.ssh`` log in, as the controller's user."""
    async with connected(server) as connection:
        assert (await run(connection, ["id", "-un"]))[1].decode().strip() == server.user


async def test_named_key(stranger: OpenSsh) -> None:
    """``key_files`` names the key that logs in."""
    async with connected(stranger, key_files=(str(stranger.client_key),)) as connection:
        assert not connection.lost


async def test_key_as_text(stranger: OpenSsh) -> None:
    """A credential may hold the key's own text; a blank line around it does no harm."""
    login = Login(private_key=Secret("\n" + stranger.client_key.read_text().rstrip()))
    async with connected(stranger, login) as connection:
        assert not connection.lost


async def test_wrong_key(stranger: OpenSsh) -> None:
    """A key the host does not know is refused, and the message names it, the user and the port."""
    key = make_key(stranger.home / ".ssh" / "other")
    error = await refused(stranger, key_files=(str(key),))
    assert error.code == "login-refused"
    assert error.may_have_run is False
    assert "publickey (~/.ssh/other)" in error.message
    assert f"127.0.0.1:{stranger.port} as {stranger.user}" in error.message
    assert error.message.endswith("nothing was run")


async def test_nothing_to_log_in_with(stranger: OpenSsh) -> None:
    """Without any key, agent or password the message says so."""
    error = await refused(stranger)
    assert error.code == "login-refused"
    assert "no key, agent or password" in error.message


async def test_missing_key_file(stranger: OpenSsh) -> None:
    """A named key that is not there is told by its name."""
    error = await refused(stranger, key_files=("~/.ssh/nowhere",))
    assert error.code == "key-unreadable"
    assert str(stranger.home / ".ssh" / "nowhere") in error.message


async def test_public_key_instead_of_private(stranger: OpenSsh) -> None:
    """A public key where a private one is due is told as unreadable, not as a refused login."""
    error = await refused(stranger, key_files=(f"{stranger.client_key}.pub",))
    assert error.code == "key-unreadable"


@pytest.fixture
def locked_key(server: OpenSsh, stranger: OpenSsh) -> Path:
    key = make_key(stranger.home / ".ssh" / "locked", passphrase="open sesame")
    authorize(server, key)
    return key


async def test_encrypted_key(stranger: OpenSsh, locked_key: Path) -> None:
    """The credential's passphrase opens an encrypted key."""
    login = Login(passphrase=Secret("open sesame"))
    async with connected(stranger, login, key_files=(str(locked_key),)) as connection:
        assert not connection.lost


async def test_encrypted_key_without_passphrase(stranger: OpenSsh, locked_key: Path) -> None:
    """Without a passphrase the message names the key and what is missing."""
    error = await refused(stranger, key_files=(str(locked_key),))
    assert error.code == "passphrase-missing"
    assert str(locked_key) in error.message


async def test_encrypted_key_with_wrong_passphrase(stranger: OpenSsh, locked_key: Path) -> None:
    """A wrong passphrase is told, and is not in the message."""
    error = await refused(stranger, Login(passphrase=Secret("wrong-one")), key_files=(str(locked_key),))
    assert error.code == "passphrase-wrong"
    assert "wrong-one" not in f"{error.message}{error.hints}{error!r}"


async def test_user_certificate_beside_the_key(server: OpenSsh, stranger: OpenSsh) -> None:
    """A certificate ``key-cert.pub`` logs in where the key itself stands nowhere."""
    key = make_key(stranger.home / ".ssh" / "certified")
    sign(server.folder / "authority", key.with_suffix(".pub"), principals=server.user)
    async with connected(stranger, key_files=(str(key),)) as connection:
        assert not connection.lost
    assert "Accepted certificate ID" in server.log()


async def test_user_certificate_of_the_credential(server: OpenSsh, stranger: OpenSsh) -> None:
    """A credential may hold key and certificate as text."""
    key = make_key(stranger.home / "elsewhere")
    certificate = sign(server.folder / "authority", key.with_suffix(".pub"), principals=server.user)
    login = Login(private_key=Secret(key.read_text()), certificate=certificate.read_text())
    async with connected(stranger, login) as connection:
        assert not connection.lost


async def test_certificate_for_another_user(server: OpenSsh, stranger: OpenSsh) -> None:
    """A certificate for other principals is refused."""
    key = make_key(stranger.home / ".ssh" / "foreign")
    sign(server.folder / "authority", key.with_suffix(".pub"), principals="somebody-else")
    assert (await refused(stranger, key_files=(str(key),))).code == "login-refused"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a fresh, empty ssh-agent."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        assert process.poll() is None
    yield {"SSH_AUTH_SOCK": str(path)}
    process.terminate()
    process.wait(10)


def add_to(agent: dict[str, str], key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], check=True, env=os.environ | agent, capture_output=True)


async def test_agent(server: OpenSsh, stranger: OpenSsh, agent: dict[str, str]) -> None:
    """A key that only the agent holds logs in."""
    add_to(agent, server.client_key)
    async with connected(stranger, through=transport(stranger, environment=agent)) as connection:
        assert not connection.lost


async def test_agent_that_is_not_there(stranger: OpenSsh) -> None:
    """A credential that asks for an agent where there is none says so."""
    error = await refused(stranger, Login(agent=True))
    assert error.code == "agent-unreachable"


async def test_full_agent(server: OpenSsh, stranger: OpenSsh, agent: dict[str, str], tmp_path: Path) -> None:
    """An agent with more keys than MaxAuthTries ends the login, and the hint is IdentitiesOnly."""
    for number in range(4):
        add_to(agent, make_key(tmp_path / f"key{number}", comment=f"number {number}"))
    error = await refused(stranger, through=transport(stranger, environment=agent))
    assert error.code == "too-many-logins"
    assert "agent: number 0" in error.message
    assert "IdentitiesOnly" in error.hints[0]


async def test_named_key_comes_before_a_full_agent(
    server: OpenSsh, stranger: OpenSsh, agent: dict[str, str], tmp_path: Path
) -> None:
    """A key that is named is offered first, so that a full agent does no harm."""
    for number in range(4):
        add_to(agent, make_key(tmp_path / f"key{number}"))
    through = transport(stranger, environment=agent)
    async with connected(stranger, through=through, key_files=(str(server.client_key),)) as connection:
        assert not connection.lost


async def test_identities_only(server: OpenSsh, stranger: OpenSsh, agent: dict[str, str]) -> None:
    """IdentitiesOnly keeps the agent's other keys back."""
    add_to(agent, server.client_key)
    other = make_key(stranger.home / ".ssh" / "other")
    through = transport(stranger, environment=agent)
    options = (("IdentitiesOnly", "yes"), ("IdentityFile", str(other)))
    error = await refused(stranger, through=through, options=options)
    assert error.code == "login-refused"
    assert "agent" not in error.message


async def test_agent_opens_a_locked_key(
    server: OpenSsh, stranger: OpenSsh, agent: dict[str, str], tmp_path: Path
) -> None:
    """A named key that is encrypted is used through the agent that holds it, even with IdentitiesOnly."""
    key = make_key(tmp_path / "both")
    authorize(server, key)
    add_to(agent, key)
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "locked now", "-f", str(key)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    through = transport(stranger, environment=agent)
    options = (("IdentitiesOnly", "yes"),)
    async with connected(stranger, through=through, key_files=(str(key),), options=options) as connection:
        assert not connection.lost


class PasswordServer(asyncssh.SSHServer):
    """Takes one password, by the methods it is told to offer; counts the tries."""

    tries = 0

    def __init__(self, password: bool, interactive: bool) -> None:
        self._password, self._interactive = password, interactive

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return self._password

    def validate_password(self, username: str, password: str) -> bool:
        type(self).tries += 1
        return password == "right"

    def kbdint_auth_supported(self) -> bool:
        return self._interactive

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        type(self).tries += 1
        return list(responses) == ["right"]


@pytest.mark.parametrize(
    ("password", "interactive"), [(True, False), (False, True)], ids=["password", "keyboard-interactive"]
)
@pytest.mark.parametrize("given", ["right", "wrong"])
async def test_password(tmp_path: Path, password: bool, interactive: bool, given: str) -> None:
    """A password logs in by either method; a wrong one is tried once, told as refused, and never shown."""
    PasswordServer.tries = 0
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        server_factory=lambda: PasswordServer(password, interactive),
    )
    way = SshTransport(home=tmp_path, system=tmp_path, environment={})
    host = Endpoint(
        host="web1", transport="ssh", address="127.0.0.1", port=acceptor.get_port(), user="usera",
        host_key_checking=HostKeyChecking.OFF,
    )  # fmt: skip
    try:
        if given == "right":
            connection = await way.connect(host, Login(password=Secret(given)))
            await connection.close()
        else:
            with pytest.raises(Unreachable) as caught:
                await way.connect(host, Login(password=Secret(given)))
            assert caught.value.code == "login-refused"
            assert ("tried password" if password else "tried keyboard-interactive") in caught.value.message
            assert given not in f"{caught.value.message}{caught.value.hints}"
        assert PasswordServer.tries == 1
    finally:
        await way.close()
        acceptor.close()
        await acceptor.wait_closed()


async def test_many_at_once(server: OpenSsh) -> None:
    """Fifty connections at once to one sshd all come to be, and all end."""
    way = transport(server)
    connections = await asyncio.gather(
        *(way.connect(endpoint(server, host=f"web{number}"), None) for number in range(50))
    )
    results = await asyncio.gather(*(run(connection, ["echo", "hi"]) for connection in connections))
    assert [stdout for _, stdout, _ in results] == [b"hi\n"] * 50
    await asyncio.gather(*(connection.close() for connection in connections))
