"""How to reach a host: a value that says everything a transport needs; equal endpoints share one connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class HostKeyChecking(StrEnum):
    """What to do with a host key that ``known_hosts`` does not hold."""

    STRICT = "strict"
    ACCEPT_NEW = "accept_new"
    OFF = "off"


class Authentication(StrEnum):
    """How to log in over WinRM: Invoke-Command's words in lower case (remoting.md 3.4)."""

    DEFAULT = "default"
    BASIC = "basic"
    NEGOTIATE = "negotiate"
    NEGOTIATE_WITH_IMPLICIT_CREDENTIAL = "negotiatewithimplicitcredential"
    KERBEROS = "kerberos"
    CREDSSP = "credssp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """The proxy of a WinRM connection: New-PSSessionOption's ProxyAccessType, -Authentication, -Credential."""

    access: str = "none"
    authentication: str = "negotiate"
    credential: str | None = None


LONGEST_TIMEOUT = 2_147_483.647
"""Seconds: what a timeout of 0 means in the reference, the most milliseconds an Int32 holds (remoting.md 3.1)."""


@dataclass(frozen=True, slots=True)
class FrozenMapping:
    """A mapping inside a value that must be hashable; lists are tuples there."""

    pairs: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """New-PSSessionOption's parameters (remoting.md 3.1), durations in seconds, sizes in bytes.

    ``None`` everywhere means that the author said nothing and the default of the reference holds; a timeout of 0 has
    become :data:`LONGEST_TIMEOUT`. ``output_buffering_mode`` is ``block`` or ``drop``. ``application_arguments`` is
    made by :func:`freeze`; :meth:`arguments` gives the mapping back.
    """

    open_timeout: float | None = None
    operation_timeout: float | None = None
    cancel_timeout: float | None = None
    idle_timeout: float | None = None
    output_buffering_mode: str | None = None
    max_connection_retry_count: int | None = None
    maximum_redirection: int | None = None
    maximum_received_data_size_per_command: int | None = None
    maximum_received_object_size: int | None = None
    application_arguments: tuple[tuple[str, object], ...] = ()
    culture: str | None = None
    ui_culture: str | None = None
    no_compression: bool = False
    no_encryption: bool = False
    no_machine_profile: bool = False
    skip_ca_check: bool = False
    skip_cn_check: bool = False
    skip_revocation_check: bool = False
    use_utf16: bool = False
    include_port_in_spn: bool = False
    proxy: ProxySettings | None = None

    def arguments(self) -> dict[str, Any]:
        """``application_arguments`` as the author wrote them: mappings, lists and scalars."""
        return {name: _thaw(value) for name, value in self.application_arguments}


def freeze(value: object) -> object:
    """A value with its lists as tuples and its mappings as :class:`FrozenMapping`: endpoints are keys of mappings."""
    if isinstance(value, dict):
        return FrozenMapping(tuple((str(key), freeze(item)) for key, item in value.items()))
    return tuple(freeze(item) for item in value) if isinstance(value, list | tuple) else value


def _thaw(value: object) -> object:
    if isinstance(value, FrozenMapping):
        return {key: _thaw(item) for key, item in value.pairs}
    return [_thaw(item) for item in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class WinrmSettings:
    """What only WinRM needs of an endpoint.

    Attributes:
        url: the whole address with scheme, host, port and path; what a ``connection_uri`` says, or made of the parts.
        resource_uri: of the session configuration: ``http://schemas.microsoft.com/powershell/Microsoft.PowerShell``.
        authentication: the mechanism; a certificate beside it means a login by certificate.
        certificate: path of a PEM file with the client's certificate, None for none.
        certificate_key: path of its key where that is not in the same file.
        allow_redirection: only for a ``connection_uri``.
        trusted_hosts: hosts for which NTLM without mutual authentication over http is accepted; ``("*",)`` is any.

    """

    url: str
    resource_uri: str
    authentication: Authentication = Authentication.DEFAULT
    certificate: str | None = None
    certificate_key: str | None = None
    allow_redirection: bool = False
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One host as a transport sees it.

    Attributes:
        host: the name the run knows it by; not part of what makes two endpoints equal for sharing.
        transport: ``local``, ``ssh`` or ``winrm`` (others come later).
        address: DNS name, IP address, or an alias of ``~/.ssh/config``.
        port: over SSH None asks ``~/.ssh/config``, then 22; over WinRM the port of ``winrm.url``.
        user: login name; over SSH None asks ``~/.ssh/config``, then the controller's user; over WinRM the name that
            goes with a login that has none of its own (``--user``, ``ansible_user``).
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
        subsystem: sshd's subsystem that speaks PowerShell remoting; None is ``powershell``.
        session_options: New-PSSessionOption's parameters, for PowerShell over any transport.
        winrm: what only WinRM needs; None for other transports.

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
    subsystem: str | None = None
    session_options: SessionOptions = SessionOptions()
    winrm: WinrmSettings | None = None
