"""How to reach a host: a value that says everything a transport needs; equal endpoints share one connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HostKeyChecking(StrEnum):
    """What to do with a host key that ``known_hosts`` does not hold."""

    STRICT = "strict"
    ACCEPT_NEW = "accept_new"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One host as a transport sees it.

    Attributes:
        host: the name the run knows it by; not part of what makes two endpoints equal for sharing.
        transport: ``local`` or ``ssh`` (others come later).
        address: DNS name, IP address, or an alias of ``~/.ssh/config``.
        port: None asks ``~/.ssh/config``, then 22.
        user: login name; None asks ``~/.ssh/config``, then the controller's user.
        credential: name of a credential of the playbook, or None for keys, agent and ``~/.ssh/config``.
        key_files: private key paths, tried in order, before the defaults.
        jump: hosts to go through, outermost first; each is an ``ssh`` endpoint. None asks ``~/.ssh/config``
            (ProxyJump), an empty tuple means direct.
        options: ``ssh_config`` words with values; explicit keys above win over them (coverage.md N20, P22).
        known_hosts: path of the file; None asks ``~/.ssh/config``, then ``~/.ssh/known_hosts``.
        host_key_checking: None asks ``options`` and ``~/.ssh/config`` (StrictHostKeyChecking), then strict.
        connect_timeout: seconds for TCP, handshake and login together.
        keepalive: seconds between keepalives; 0 sends none.
        compression: None leaves it to ``options`` and ``~/.ssh/config``.

    """

    host: str
    transport: str
    address: str = ""
    port: int | None = None
    user: str | None = None
    credential: str | None = None
    key_files: tuple[str, ...] = ()
    jump: tuple[Endpoint, ...] | None = None
    options: tuple[tuple[str, str], ...] = ()
    known_hosts: str | None = None
    host_key_checking: HostKeyChecking | None = None
    connect_timeout: float = 30.0
    keepalive: float = 15.0
    compression: bool | None = None
