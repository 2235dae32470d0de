"""Who takes part: how each is told to do the same work, and which line of its output means a result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import peers
from benchmarks.fleet import USER, Fleet
from benchmarks.work import PARALLEL, commands

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to do the work: its command, the lines that tell results, and what it wants in the environment."""

    name: str
    command: tuple[str, ...]
    mark: str
    environment: Mapping[str, str] = field(default_factory=dict)


def ours(fleet: Fleet, folder: Path) -> list[Contestant]:
    """Runner with a kept session and with a new interpreter for each step, and asyncssh alone with either."""
    inventory = folder / "inventory.yml"
    inventory.write_text(
        json.dumps(
            {
                "version": 1,
                "connection": {"transport": "ssh", "user_name": USER},
                "groups": {"fleet": {"hosts": {address: {} for address in fleet.addresses}}},
            }
        )
    )
    return [
        _runner("session", inventory, folder),
        _floor("session", fleet),
        _runner("target", inventory, folder),
        _floor("target", fleet),
    ]


def _runner(way: str, inventory: Path, folder: Path) -> Contestant:
    playbook = folder / f"{way}.yml"
    name = {"session": "kept", "target": "fleet"}[way]
    content = {
        "version": 1,
        "name": "Ten echoes",
        "targets": {"fleet": {"hosts": "fleet"}},
        "sessions": {"kept": {"target": "fleet"}},
        "steps": [{"id": f"echo{n}", way: name, "script": command} for n, command in enumerate(commands())],
    }
    playbook.write_text(json.dumps(content))
    options = ("-i", str(inventory), "-f", str(PARALLEL))
    command = (sys.executable, "-m", "runner", "run", str(playbook), *options)
    return Contestant(f"runner, {way}", command, r"^echo\d \S+ ok in ", {"RUNNER_HOME": str(folder)})


def _floor(way: str, fleet: Fleet) -> Contestant:
    command = (sys.executable, "-m", "benchmarks.floor", way, *fleet.addresses)
    return Contestant(f"bare asyncssh, {way}", command, "^done$")


def parallel_ssh(fleet: Fleet, _: Path) -> Contestant:
    """Through its library, which is what its own command uses."""
    script = str(_HERE / "parallel_ssh.py")
    words = (str(PARALLEL), USER, str(fleet.key), json.dumps(commands()))
    return Contestant("parallel-ssh", (str(peers.python()), script, *words, *fleet.addresses), "^done$")


def pyinfra(fleet: Fleet, folder: Path) -> Contestant:
    """Ten ``server.shell`` operations."""
    data = {
        "ssh_user": USER,
        "ssh_key": str(fleet.key),
        "ssh_known_hosts_file": str(fleet.known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }
    inventory, deploy = folder / "pyinfra_inventory.py", folder / "pyinfra_deploy.py"
    inventory.write_text(f"fleet = ({list(fleet.addresses)!r}, {data!r})\n")
    operations = (f"server.shell(name={command!r}, commands=[{command!r}])\n" for command in commands())
    deploy.write_text("from pyinfra.operations import server\n" + "".join(operations))
    program = str(peers.program("pyinfra"))
    command = (program, "-y", "--parallel", str(PARALLEL), str(inventory), str(deploy))
    return Contestant("pyinfra", command, r"\] +Success")


def ansible(fleet: Fleet, folder: Path) -> list[Contestant]:
    """Ten ``command`` tasks, for which pipelining is made, and ten ``raw`` ones, which need no Python on the host."""
    inventory, sockets = folder / "ansible_inventory.ini", folder / "cp"
    shared = "ansible_python_interpreter=/usr/bin/python3"
    rows = "".join(
        f"{address} ansible_user={USER} ansible_ssh_private_key_file={fleet.key} {shared}\n"
        for address in fleet.addresses
    )
    inventory.write_text(f"[fleet]\n{rows}")
    environment = {
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_FORKS": str(PARALLEL),
        "ANSIBLE_HOST_KEY_CHECKING": "1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
        "ANSIBLE_SSH_ARGS": f"-C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={fleet.known_hosts}",
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    found = []
    for module in ("command", "raw"):
        playbook = folder / f"ansible_{module}.yml"
        tasks = [{"name": command, f"ansible.builtin.{module}": command} for command in commands()]
        playbook.write_text(json.dumps([{"hosts": "fleet", "gather_facts": False, "tasks": tasks}]))
        command = (str(peers.program("ansible-playbook")), "-i", str(inventory), str(playbook))
        found.append(Contestant(f"ansible, {module}", command, r"^(ok|changed): \[", environment))
    return found


PEERS: Mapping[str, Callable[[Fleet, Path], Contestant | list[Contestant]]] = {
    "parallel-ssh": parallel_ssh,
    "pyinfra": pyinfra,
    "ansible": ansible,
}
"""How each peer takes part, by its name in :data:`benchmarks.peers.PACKAGES`."""
