"""The directory of a lab: where each file is, and writing them so that no half one is ever seen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from runner.lab.fleet import WINDOWS, LabHost, seed_files, seed_programs
from runner.lab.recordings import unpack_recordings
from runner.lab.restarts import ORDER

CREDENTIAL = "lab"
"""The credential that the inventory names for Windows-like hosts; a playbook says where its password is."""
PASSWORD_VARIABLE = "RUNNER_LAB_PASSWORD"  # noqa: S105 - the name of a variable
"""Where the playbooks of the examples read it."""
_HEADER = "# A lab made by `runner lab up`; written anew each time it starts."


@dataclass(frozen=True, slots=True)
class ServedHost:
    """A host that listens on ``port`` of 127.0.0.1."""

    host: LabHost
    port: int


@dataclass(frozen=True, slots=True)
class LabDirectory:
    """Paths below one absolute directory."""

    path: Path

    @property
    def state(self) -> Path:
        """Who serves the lab, as JSON; there only while it is up."""
        return self.path / "state.json"

    @property
    def lock(self) -> Path:
        """Held while the lab is being started or ended."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.path / "lab.log"

    @property
    def inventory(self) -> Path:
        """The inventory to run against."""
        return self.path / "inventory.yml"

    @property
    def known_hosts(self) -> Path:
        """Host keys of all hosts."""
        return self.path / "known_hosts"

    @property
    def private_key(self) -> Path:
        """The key that every login takes."""
        return self.path / "id_ed25519"

    @property
    def authority(self) -> Path:
        """Certificate of the authority of the Windows-like hosts: what ``SSL_CERT_FILE`` names."""
        return self.path / "ca.pem"

    @property
    def revocations(self) -> Path:
        """Its revocation list."""
        return self.path / "crl.pem"

    @property
    def password(self) -> Path:
        """The password of the Windows-like hosts' user, for nobody else to read."""
        return self.path / "password"

    @property
    def client_certificate(self) -> Path:
        """A certificate and its key, by which the Windows-like hosts' user logs in without the password."""
        return self.path / "client.pem"

    @property
    def environment(self) -> Path:
        """What a shell is to source before it runs against Windows-like hosts."""
        return self.path / "environment.sh"

    @property
    def recordings(self) -> Path:
        """What the replay answers from where there is no PowerShell."""
        return self.path / "recordings"

    @property
    def secrets(self) -> Path:
        """Files of the server alone: keys of certificates, NTLM's users."""
        return self.path / "secrets"

    def home(self, host: LabHost) -> Path:
        """A host's home directory."""
        return self.path / "hosts" / host.name

    def programs(self, host: LabHost) -> Path:
        """A host's own programs, first in its PATH."""
        return self.path / "bin" / host.name

    def restart_order(self, host: LabHost) -> Path:
        """There as long as a restart of the host was ordered and not begun."""
        return self.home(host) / ORDER

    @property
    def is_taken(self) -> bool:
        """Whether an inventory that no lab has written stands where the lab's would."""
        try:
            return not self.inventory.read_text(encoding="utf-8").startswith(_HEADER)
        except FileNotFoundError:
            return False

    def seed(self, hosts: Sequence[LabHost]) -> None:
        """Write what is on the hosts; other files in their homes stay."""
        write_whole(self.path / ".gitignore", "*\n")
        unpack_recordings(self.recordings)
        for host in hosts:
            self.home(host).mkdir(parents=True, exist_ok=True)
            for name, text in seed_files(host).items():
                _write(self.home(host) / name, text, 0o644)
            self.restart_order(host).unlink(missing_ok=True)
            for name, text in seed_programs(host).items():
                _write(self.programs(host) / name, text, 0o755)

    def inventory_text(self, served: Sequence[ServedHost]) -> str:
        """The inventory in the native form, with absolute paths, so that it works from any directory."""
        groups: dict[str, dict[str, object]] = {}
        for entry in served:
            group = groups.setdefault(entry.host.group, {**_group(entry.host), "hosts": {}})
            hosts = group["hosts"]
            assert isinstance(hosts, dict)  # noqa: S101 - made one line above
            hosts[entry.host.name] = {"address": "127.0.0.1", "connection": _connection(entry)}
        document: Mapping[str, object] = {
            "version": 1,
            "connection": {
                "transport": "ssh",
                "host_key_checking": "strict",
                "known_hosts": str(self.known_hosts),
                "key_file_path": str(self.private_key),
            },
            "groups": groups,
        }
        return f"{_HEADER}\n{yaml.safe_dump(document, sort_keys=False, width=120)}"


def _group(host: LabHost) -> dict[str, object]:
    """What all hosts of a group share."""
    if host.group == WINDOWS:
        return {
            "connection": {
                "transport": "winrm",
                "authentication": "negotiate",
                "credential": CREDENTIAL,
                "trusted_hosts": ["127.0.0.1"],
            },
            "vars": {"role": WINDOWS},
        }
    return {"connection": {"user_name": host.user}, "vars": {"role": host.group}}


def _connection(entry: ServedHost) -> dict[str, object]:
    """What is a host's own; Windows-like ones speak https and http in turn."""
    if entry.host.group == WINDOWS:
        return {"port": entry.port, "use_ssl": uses_tls(entry.host)}
    return {"port": entry.port}


def uses_tls(host: LabHost) -> bool:
    """Whether a Windows-like host listens for https; the others encrypt messages over http."""
    return host.number % 2 == 1


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write beside the place, then rename: a reader sees the old text or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    _write(part, text, mode)
    part.replace(path)


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
