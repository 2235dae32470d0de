"""Host keys against a real OpenSSH: nothing is trusted that known_hosts does not hold, unless that is asked for."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.transport.endpoint import HostKeyChecking
from tests.contract.ssh_fixtures import connected, endpoint, needs_sshd, refused, transport
from tests.support import openssh
from tests.support.openssh import OpenSsh, make_key, sign

pytestmark = needs_sshd
ACCEPT_NEW = HostKeyChecking.ACCEPT_NEW


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    folder = tmp_path_factory.mktemp("sshd")
    second = make_key(folder / "host_key_rsa", kind="rsa")
    with openssh.running(folder, extra=f"HostKey {second}\n") as running:
        yield running


@pytest.fixture
def known(server: OpenSsh, tmp_path: Path) -> Path:
    """A known_hosts file of the test's own, which is not there yet."""
    return tmp_path / "new" / "known_hosts"


def name(server: OpenSsh) -> str:
    return f"[127.0.0.1]:{server.port}"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


async def test_unknown_key_is_refused(server: OpenSsh, known: Path) -> None:
    """By default an unknown key is refused, with its fingerprint and the ways to add it, and nothing is written."""
    error = await refused(server, known_hosts=str(known))
    assert error.code == "host-key-unknown"
    assert error.may_have_run is False
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(server.folder / "host_key.pub")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[1]
    assert fingerprint in error.message
    assert f"`ssh-keyscan -p {server.port} 127.0.0.1 >> {known}`" in error.hints[0]
    assert "accept_new" in error.hints[1]
    assert not known.exists()


async def test_known_key(server: OpenSsh, known: Path) -> None:
    """A key that the endpoint's own known_hosts holds is trusted."""
    write(known, f"{name(server)} {server.host_key}\n")
    async with connected(server, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_known_rsa_key_is_asked_for(server: OpenSsh, known: Path) -> None:
    """Where known_hosts holds the RSA key of a host that has others too, the RSA key is what it is asked for."""
    write(known, f"{name(server)} {(server.folder / 'host_key_rsa.pub').read_text()}")
    async with connected(server, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_hashed_name(server: OpenSsh, known: Path) -> None:
    """Hashed names, as ssh-keygen -H makes them, are found."""
    write(known, f"{name(server)} {server.host_key}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    async with connected(server, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_name_without_port(server: OpenSsh, known: Path) -> None:
    """As in ssh, a key that stands under the bare name is good for any port of it."""
    write(known, f"127.0.0.1 {server.host_key}\n")
    async with connected(server, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_alias(server: OpenSsh, known: Path) -> None:
    """HostKeyAlias is the name that known_hosts is asked for."""
    write(known, f"[fleet]:{server.port} {server.host_key}\n")
    options = (("HostKeyAlias", "fleet"),)
    async with connected(server, known_hosts=str(known), options=options) as connection:
        assert not connection.lost


@pytest.mark.parametrize("checking", [HostKeyChecking.STRICT, ACCEPT_NEW])
async def test_changed_key(server: OpenSsh, known: Path, checking: HostKeyChecking) -> None:
    """A changed key is refused with accept_new too; the message has both keys, the line, and what to type."""
    other = make_key(known.parent.parent / "other").with_suffix(".pub").read_text()
    write(known, f"# a comment\n{name(server)} {other}")
    before = known.read_text()
    error = await refused(server, known_hosts=str(known), host_key_checking=checking)
    assert error.code == "host-key-changed"
    assert f"{known}:2 holds ssh-ed25519 SHA256:" in error.message
    assert error.message.endswith("nothing was run")
    assert error.hints[0].startswith("if the host was set up anew: `ssh-keygen -R")
    assert known.read_text() == before


async def test_the_command_of_the_hint_mends_it(server: OpenSsh, known: Path) -> None:
    """What the hint of a changed key says to type makes the next connection possible."""
    write(known, f"{name(server)} {make_key(known.parent.parent / 'other').with_suffix('.pub').read_text()}")
    error = await refused(server, known_hosts=str(known), host_key_checking=ACCEPT_NEW)
    subprocess.run(error.hints[0].split("`")[1], shell=True, check=True, capture_output=True)
    async with connected(server, known_hosts=str(known), host_key_checking=ACCEPT_NEW) as connection:
        assert not connection.lost


async def test_revoked_key(server: OpenSsh, known: Path) -> None:
    """A key marked as revoked is refused although another line trusts it."""
    write(known, f"@revoked * {server.host_key}\n{name(server)} {server.host_key}\n")
    assert (await refused(server, known_hosts=str(known))).code == "host-key-revoked"


async def test_off_checks_nothing(server: OpenSsh, known: Path) -> None:
    """With ``off`` an unknown key is taken and nothing is written."""
    checking = HostKeyChecking.OFF
    async with connected(server, known_hosts=str(known), host_key_checking=checking) as connection:
        assert not connection.lost
    assert not known.exists()


async def test_accept_new_among_many(server: OpenSsh, known: Path) -> None:
    """32 connections at once to a new host write its key once, whole, in a file and folder of the user's own."""
    way = transport(server)
    keys = {"known_hosts": str(known), "host_key_checking": ACCEPT_NEW}
    ends = [endpoint(server, f"web{number}", **keys) for number in range(32)]
    connections = await asyncio.gather(*(way.connect(end, None) for end in ends))
    await asyncio.gather(*(connection.close() for connection in connections))
    assert known.read_text() == f"{name(server)} {server.host_key}\n"
    assert known.stat().st_mode & 0o777 == 0o600
    assert known.parent.stat().st_mode & 0o777 == 0o700
    async with connected(server, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_accept_new_after_a_line_without_an_end(server: OpenSsh, known: Path) -> None:
    """A file whose last line has no end does not swallow the new key."""
    write(known, f"other.example {server.host_key}")
    async with connected(server, known_hosts=str(known), host_key_checking=ACCEPT_NEW):
        pass
    assert known.read_text().splitlines()[1] == f"{name(server)} {server.host_key}"


async def test_accept_new_hashed(server: OpenSsh, known: Path) -> None:
    """With HashKnownHosts the name is written as a hash that ssh-keygen finds."""
    options = (("HashKnownHosts", "yes"),)
    async with connected(server, known_hosts=str(known), host_key_checking=ACCEPT_NEW, options=options):
        pass
    assert known.read_text().startswith("|1|")
    found = subprocess.run(
        ["ssh-keygen", "-F", name(server), "-f", str(known)], capture_output=True, check=False
    )
    assert found.returncode == 0


async def test_accept_new_where_nothing_can_be_written(server: OpenSsh, tmp_path: Path) -> None:
    """Where the new key cannot be kept, the host is refused rather than trusted anew each time."""
    (tmp_path / "file").touch()
    error = await refused(
        server, known_hosts=str(tmp_path / "file" / "known_hosts"), host_key_checking=ACCEPT_NEW
    )
    assert error.code == "known-hosts-unwritable"


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """An sshd that shows a certificate for its host key."""
    folder = tmp_path_factory.mktemp("certified")
    authority = make_key(folder / "authority")
    key = make_key(folder / "certified_key")
    certificate = sign(authority, key.with_suffix(".pub"), host=True, principals="127.0.0.1")
    with openssh.running(folder, {"HostKey": str(key), "HostCertificate": str(certificate)}) as running:
        yield running


def authority_line(server: OpenSsh, pattern: str) -> str:
    return f"@cert-authority {pattern} {(server.folder / 'authority.pub').read_text()}"


async def test_host_certificate(certified: OpenSsh, known: Path) -> None:
    """A host whose certificate a known authority signed is trusted without a line of its own."""
    write(known, authority_line(certified, "127.0.0.*"))
    async with connected(certified, known_hosts=str(known)) as connection:
        assert not connection.lost


async def test_host_certificate_for_another_name(certified: OpenSsh, known: Path) -> None:
    """A certificate that is made out to another name is refused."""
    write(known, authority_line(certified, "*"))
    options = (("HostKeyAlias", "web.example"),)
    error = await refused(certified, known_hosts=str(known), options=options)
    assert error.code == "host-certificate-refused"


async def test_host_certificate_of_another_authority(certified: OpenSsh, known: Path) -> None:
    """A certificate of an authority that is not known is refused, with the authority's fingerprint."""
    other = make_key(known.parent.parent / "other").with_suffix(".pub").read_text()
    write(known, f"@cert-authority * {other}")
    error = await refused(certified, known_hosts=str(known))
    assert error.code == "host-key-unknown"
    assert "authority" in error.message


async def test_system_known_hosts(server: OpenSsh, known: Path) -> None:
    """The system's ssh_known_hosts counts beside the user's."""
    system = server.folder / "ssh_known_hosts"
    write(system, f"{name(server)} {server.host_key}\n")
    try:
        async with connected(server, known_hosts=str(known)) as connection:
            assert not connection.lost
    finally:
        system.unlink()
