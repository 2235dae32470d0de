"""Whether a host may show the key it shows: the decision, its words, and the order in which key kinds are asked for."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from runner.errors import Unreachable
from runner.transport.endpoint import HostKeyChecking
from runner.transport.ssh_errors import Attempt
from runner.transport.ssh_known_hosts import Entry, KnownHostsFiles, KnownKeys, entry_name
from runner.transport.ssh_settings import Settings

#: One RSA key signs in several ways; known_hosts knows it under one name.
_RSA_SIGNATURES = ("rsa-sha2-256", "rsa-sha2-512", "ssh-rsa")


@dataclass(slots=True)
class HostKeyCheck:
    """Checks the key of one connection against known_hosts, and remembers a new one when that is asked for."""

    settings: Settings
    files: KnownHostsFiles
    attempt: Attempt

    @property
    def _paths(self) -> tuple[Path, ...]:
        return (*self.settings.known_hosts, *self.settings.global_known_hosts)

    def known(self) -> KnownKeys:
        """What known_hosts says of the host now."""
        return self.files.known(self._paths).keys(self.settings.name, self.settings.port)

    def algorithms(self) -> list[str]:
        """Host key algorithms, the known kinds first: else a host with an RSA key on file would show another."""
        known = self.known()
        kinds = {entry.algorithm for entry in known.trusted}
        plain = sorted((name.decode() for name in get_default_public_key_algs()), key=_preference)
        wanted = [name for name in plain if name in kinds or ("ssh-rsa" in kinds and name in _RSA_SIGNATURES)]
        certificates = [name.decode() for name in get_default_certificate_algs()] if known.authorities else []
        return list(dict.fromkeys([*certificates, *wanted, *plain]))

    def refusal(self, key: asyncssh.SSHKey) -> Unreachable | None:
        """Why the key is refused, or None where it is trusted or new and new ones are accepted."""
        known = self.known()
        if any(entry.key == key.public_data for entry in known.revoked):
            return self._revoked(key)
        if any(entry.key == key.public_data for entry in known.trusted):
            return None
        if named := self._under_own_name(known):
            return self._changed(key, named)
        if self.settings.checking is HostKeyChecking.ACCEPT_NEW:
            return None
        return self._unknown(key)

    def _under_own_name(self, known: KnownKeys) -> Sequence[Entry]:
        """Entries for just this host and port; as in ssh an entry without the port may trust, but not accuse."""
        if self.settings.port == 22:
            return known.trusted
        return [
            entry for entry in known.trusted if f":{self.settings.port}" in entry.names or "|" in entry.names
        ]

    def authority_refusal(self, key: asyncssh.SSHKey) -> Unreachable | None:
        """Why the authority that signed the host's certificate is refused, or None where it is trusted."""
        known = self.known()
        if any(entry.key == key.public_data for entry in known.revoked):
            return self._revoked(key)
        if any(entry.key == key.public_data for entry in known.authorities):
            return None
        return self.attempt.unreachable(
            "host-key-unknown",
            f"the certificate of `{self.attempt.host}` is signed by an authority that is not known: "
            f"{key.get_fingerprint()}",
            f"add `@cert-authority {self.settings.name} {_text_of(key)}` to {self.settings.known_hosts[0]}",
        )

    def remember(self, key: asyncssh.SSHKey) -> Unreachable | None:
        """Write a key that is not known yet to known_hosts; gives the error where that fails.

        Called when the host has proved that it owns the key, never before.
        """
        if any(entry.key == key.public_data for entry in self.known().trusted):
            return None
        try:
            self.files.accept(
                self._paths,
                entry_name(self.settings.name, self.settings.port),
                _text_of(key),
                hashed=self.settings.enabled("HashKnownHosts", False),
            )
        except OSError as error:
            return self.attempt.unreachable(
                "known-hosts-unwritable",
                f"the host key of `{self.attempt.host}` cannot be remembered in {self._paths[0]}: {error.strerror}",
                "set `known_hosts:` to a file that can be written",
            )
        return None

    def _unknown(self, key: asyncssh.SSHKey) -> Unreachable:
        port = f" -p {self.settings.port}" if self.settings.port != 22 else ""
        path = self.settings.known_hosts[0]
        return self.attempt.unreachable(
            "host-key-unknown",
            f"the host key of `{self.attempt.host}` is not known: {_kind(key)} {key.get_fingerprint()}",
            f"compare the fingerprint, then `ssh-keyscan{port} {self.settings.address} >> {path}`",
            "or write `host_key_checking: accept_new` to trust each host the first time",
        )

    def _changed(self, key: asyncssh.SSHKey, known: Sequence[Entry]) -> Unreachable:
        old = next((entry for entry in known if entry.algorithm == _kind(key)), known[0])
        path = old.source.rpartition(":")[0] or old.source
        name = entry_name(self.settings.name, self.settings.port)
        return self.attempt.unreachable(
            "host-key-changed",
            f"the host key of `{self.attempt.host}` is not the known one: it shows {_kind(key)} "
            f"{key.get_fingerprint()}, {old.source} holds {old.algorithm} {_fingerprint(old.key)}",
            f"if the host was set up anew: `ssh-keygen -R {shlex.quote(name)} -f {path}`, then run again",
            "if it was not, somebody may stand between: ask the host's owner before anything else",
        )

    def _revoked(self, key: asyncssh.SSHKey) -> Unreachable:
        return self.attempt.unreachable(
            "host-key-revoked",
            f"the host key of `{self.attempt.host}` is marked as revoked: {_kind(key)} {key.get_fingerprint()}",
            "set the host up with a new key; a revoked one may be in other hands",
        )


def _preference(algorithm: str) -> int:
    """The order of kinds that ssh has, so that a key is remembered which ssh would ask for too."""
    kinds = ("ssh-ed25519", "ecdsa", "sk-", "rsa")
    return next((number for number, kind in enumerate(kinds) if algorithm.startswith(kind)), len(kinds))


def _kind(key: asyncssh.SSHKey) -> str:
    return key.algorithm.decode()


def _text_of(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


def _fingerprint(key: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
