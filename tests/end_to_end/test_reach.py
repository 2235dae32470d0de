"""Ways to a host over OpenSSH: jump hosts, ~/.ssh/config, agent, certificates, Ansible inventories, plain names."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.support.openssh import OpenSsh, make_key, running, sign

pytestmark = [pytest.mark.sshd]

STEP = "- {id: x, target: all, script: 'echo $Using:inventory_hostname; echo $SSH_CONNECTION'}"


@pytest.fixture
def gate(tmp_path: Path, server: OpenSsh) -> Iterator[OpenSsh]:
    """A second server, which lets the same key in."""
    with running(tmp_path / "gate") as second:
        (second.folder / "authorized_keys").write_bytes(server.client_key.with_suffix(".pub").read_bytes())
        yield second


async def test_hosts_behind_one_jump_host(site: Site, gate: OpenSsh) -> None:
    """Eight hosts behind a jump host share one connection to it; each has its own behind it."""
    site.know(gate)
    jump = {"host_name": "127.0.0.1", "port": gate.port, "user_name": gate.user}
    names = [f"h{number}" for number in range(8)]
    site.hosts(*names, jump=[jump])
    logins = site.server.logins()
    done = await site.run_steps(STEP + "\n- {id: y, session: warm, script: 'true'}")
    assert done.code == 0, done.stdout
    assert set(done.statuses("x").values()) == {"ok"}
    assert gate.logins() == 1
    assert site.server.logins() == logins + 8


async def test_a_port_behind_a_jump_host_is_waited_for_there(site: Site, gate: OpenSsh) -> None:
    """The controller tries it through the jump host's connection, and says so where it does not answer."""
    site.know(gate)
    logins = site.server.logins()
    site.hosts("behind", jump=[{"host_name": "127.0.0.1", "port": gate.port, "user_name": gate.user}])
    with socket.socket() as listener, socket.socket() as closed:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        closed.bind(("127.0.0.1", 0))
        done = await site.run_steps(
            f"- {{id: there, target: all, wait_for: {{port: {listener.getsockname()[1]}}}}}\n"
            f"- {{id: not_there, target: all, wait_for: {{port: {closed.getsockname()[1]}, timeout: 1s}}}}\n"
        )
    assert done.statuses("there") == {"behind": "ok"}
    failure = done.result("not_there", "behind")["failure"]
    assert failure["code"] == "wait-timeout"
    assert "the jump host `127.0.0.1` cannot reach `behind`: " in failure["message"]
    assert (gate.logins(), site.server.logins()) == (1, logins)


async def test_jump_host_that_is_down(site: Site, gate: OpenSsh) -> None:
    """A jump host that cannot be used makes what is behind it unreachable, and only that; its own name is told."""
    site.know(gate)
    gate.stop()
    site.hosts("behind", "open")
    text = (site.folder / "inventory.yml").read_text()
    jump = f'"connection": {{"jump": [{{"host_name": "127.0.0.1", "port": {gate.port}}}]}}'
    site.write("inventory.yml", text.replace('"address": "127.0.0.1"', f'"address": "127.0.0.1", {jump}'))
    done = await site.run_steps(STEP)
    assert done.statuses("x") == {"behind": "unreachable", "open": "ok"}
    failure = done.result("x", "behind")["failure"]
    assert failure["code"] == "jump-unreachable"
    assert "nothing was run" in failure["message"]
    assert done.code == 3


async def test_names_of_the_ssh_configuration(site: Site, gate: OpenSsh) -> None:
    """``hosts: [a, b]`` without an inventory are names of ~/.ssh/config, ProxyJump and key included."""
    site.know(gate)
    key = site.home / ".ssh" / "id_ed25519"
    key.rename(key.with_name("other"))
    (site.home / ".ssh" / "config").write_text(
        f"Host a b\n  HostName 127.0.0.1\n  Port {site.server.port}\n  User {site.server.user}\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n"
        "Host b\n  ProxyJump gate\n"
        "Host *\n  IdentityFile ~/.ssh/other\n"
    )
    done = await site.run_steps(STEP, head="targets: {all: {hosts: [a, b], transport: ssh}}\n")
    assert done.code == 0, done.stdout + done.stderr
    assert [done.output("x", name)[0] for name in "ab"] == ["a", "b"]
    assert gate.logins() == 1


async def test_names_of_a_file(site: Site) -> None:
    """``{file: Machines.txt}`` is a name a line, as in `Invoke-Command (Get-Content Machines.txt)`."""
    site.write("Machines.txt", "one\n\n# a comment\ntwo\n")
    (site.home / ".ssh" / "config").write_text(
        f"Host one two\n  HostName 127.0.0.1\n  Port {site.server.port}\n  User {site.server.user}\n"
    )
    done = await site.run_steps(STEP, head="targets: {all: {hosts: {file: Machines.txt}, transport: ssh}}\n")
    assert done.code == 0, done.stdout + done.stderr
    assert done.statuses("x") == {"one": "ok", "two": "ok"}


async def test_connections_of_the_playbook(site: Site) -> None:
    """``ssh_connections`` with shell: sh name host, port, user, key and options in the playbook itself."""
    key = site.home / ".ssh" / "id_ed25519"
    key.rename(key.with_name("other"))
    done = await site.run_steps(
        "- {id: x, target: all, script: 'echo here'}",
        head=f"""\
        targets:
          all:
            shell: sh
            ssh_connections:
              - {{host_name: "{site.server.user}@127.0.0.1", port: {site.server.port}, key_file_path: ~/.ssh/other}}
              - {{host_name: 127.0.0.2, name: second, port: {site.server.port}, user_name: {site.server.user},
                 key_file_path: ~/.ssh/other, options: {{Compression: "yes"}}}}
        """,
    )
    assert done.code == 0, done.stdout + done.stderr
    assert done.statuses("x") == {"127.0.0.1": "ok", "second": "ok"}


async def test_agent(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A key that is only in the agent lets in."""
    socket = tmp_path_factory.mktemp("agent") / "socket"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    key = site.home / ".ssh" / "id_ed25519"
    environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
    try:
        subprocess.run(
            ["sh", "-c", 'until [ -S "$SSH_AUTH_SOCK" ]; do sleep 0.05; done; ssh-add -q "$0"', str(key)],
            env=environment,
            check=True,
            capture_output=True,
            timeout=20,
        )
        key.unlink()
        site.hosts("a")
        without = await site.run_steps(STEP)
        site.environment["SSH_AUTH_SOCK"] = str(socket)
        done = await site.run_steps(STEP)
    finally:
        agent.terminate()
        agent.wait(10)
    assert without.statuses("x") == {"a": "unreachable"}
    assert done.statuses("x") == {"a": "ok"}


async def test_encrypted_key_and_certificate(site: Site, tmp_path: Path) -> None:
    """A credential's encrypted key lets in, as does one with a certificate of the authority that the server trusts."""
    authority, secret = make_key(tmp_path / "authority"), site.folder / "secret"
    secret.mkdir()
    locked, signed = make_key(secret / "locked", passphrase="open sesame"), make_key(secret / "signed")
    sign(authority, signed.with_suffix(".pub"), principals=site.server.user)
    (secret / "passphrase").write_text("open sesame\n")
    trusted = {"TrustedUserCAKeys": str(authority.with_suffix(".pub"))}
    with running(tmp_path / "trusting", trusted) as trusting:
        (trusting.folder / "authorized_keys").write_bytes(locked.with_suffix(".pub").read_bytes())
        site.know(trusting)
        (site.home / ".ssh" / "id_ed25519").unlink()
        site.hosts("a", port=trusting.port)
        user = trusting.user
        done = await site.run_steps(
            """\
            - {id: locked, target: locked, script: 'echo locked'}
            - {id: signed, target: signed, needs: [], script: 'echo signed'}
            - {id: bare, target: bare, needs: [], script: 'echo never'}
            """,
            head=f"""\
            credentials:
              locked: {{username: {user}, private_key: {{file: secret/locked}},
                       passphrase: {{file: secret/passphrase}}}}
              signed: {{username: {user}, private_key: {{file: secret/signed}},
                       certificate: {{file: secret/signed-cert.pub}}}}
              bare: {{username: {user}, private_key: {{file: secret/signed}}}}
            targets:
              locked: {{hosts: all, credential: locked}}
              signed: {{hosts: all, credential: signed}}
              bare: {{hosts: all, credential: bare}}
            sessions: {{}}
            """,
        )
    assert done.output("locked", "a") == ["locked"], done.result("locked", "a")["failure"]
    assert done.output("signed", "a") == ["signed"], done.result("signed", "a")["failure"]
    assert done.statuses("bare") == {"a": "unreachable"}


async def test_wrong_passphrase(site: Site) -> None:
    """A passphrase that does not open the key is an error of that host that says so, not a traceback."""
    secret = site.folder / "secret"
    secret.mkdir()
    make_key(secret / "locked", passphrase="open sesame")
    (secret / "passphrase").write_text("guess\n")
    site.hosts("a")
    done = await site.run_steps(
        STEP,
        head="""\
        credentials:
          l: {username: x, private_key: {file: secret/locked}, passphrase: {file: secret/passphrase}}
        targets: {all: {hosts: all, credential: l}}
        """,
    )
    assert done.code in (2, 3)
    assert "passphrase" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["env", "file", "command"])
async def test_credential_without_a_source(site: Site, source: str) -> None:
    """A credential whose source gives nothing is told before anything connects, with exit code 2."""
    written = {"env": "NO_SUCH_VARIABLE", "file": "no/such/file", "command": "'exit 3'"}[source]
    site.hosts("a")
    logins = site.server.logins()
    done = await site.run_steps(
        STEP,
        head=f"credentials: {{ops: {{username: x, password: {{{source}: {written}}}}}}}\n"
        "targets: {all: {hosts: all, credential: ops}}\n",
    )
    assert done.code == 2
    assert "credential `ops`" in done.stdout + done.stderr
    assert site.server.logins() == logins


async def test_ansible_inventory(site: Site) -> None:
    """An INI inventory as it is: address, port, user, key, python, local connection, group_vars and host_vars."""
    key = site.home / ".ssh" / "id_ed25519"
    key.rename(key.with_name("other"))
    python = site.folder / "own-python"
    python.write_text('#!/bin/sh\nOWN=own exec python3 "$@"\n')
    python.chmod(0o755)
    port, user = site.server.port, site.server.user
    site.write(
        "hosts.ini",
        f"""\
        here ansible_connection=local

        [web]
        web[1:2] ansible_host=127.0.0.1 ansible_port={port} ansible_user={user}
        db ansible_host=127.0.0.2

        [web:vars]
        ansible_ssh_private_key_file=~/.ssh/other
        ansible_python_interpreter={python}
        """,
    )
    site.write("group_vars/web.yml", "tier: front\nenabled: yes\n")
    site.write("host_vars/db/main.yml", f"ansible_port: {port}\nansible_user: {user}\n")
    site.book(
        """\
        - {id: x, target: web, shell: python,
           script: 'import os; print($Using:inventory_hostname, $Using:tier, $Using:enabled, os.environ["OWN"])'}
        - {id: y, target: here, needs: [], script: 'echo "$Using:inventory_hostname [$SSH_CONNECTION]"'}
        """,
        "targets: {web: {hosts: web}, here: {hosts: here}}\nsessions: {s: {target: web}}\n",
    )
    done = await site.run("-i", "hosts.ini")
    assert done.code == 0, done.stdout + done.stderr
    for name in ("web1", "web2", "db"):
        assert done.output("x", name) == [f"{name} front True own"]
    assert done.output("y", "here") == ["here []"]
    assert (done.result("x", "db")["transport"], done.result("y", "here")["transport"]) == ("ssh", "local")


async def test_limit_and_user_of_the_command_line(site: Site) -> None:
    """``-l`` runs on the hosts it names and no others, and ``--user`` logs in as that user."""
    site.hosts("a", "b", "c", user_name="nobody-of-this-name")
    done = await site.run_steps(STEP, "-l", "a:c", "--user", site.server.user)
    assert done.statuses("x") == {"a": "ok", "c": "ok"}
    refused = await site.run_steps(STEP, "-l", "a")
    assert refused.statuses("x") == {"a": "unreachable"}
