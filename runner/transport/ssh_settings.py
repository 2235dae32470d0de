"""From an endpoint, a login and the configuration files to what one connection is made of.

Strongest first (coverage.md N15, N20): the endpoint's own keys, the credential's user, ``options``,
``~/.ssh/config``, ``/etc/ssh/ssh_config``, ssh's defaults. Each value keeps where it came from.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from pathlib import Path

from runner.transport.endpoint import Endpoint, HostKeyChecking
from runner.transport.ssh_config import (
    ConfigError,
    ConfigFiles,
    Question,
    Value,
    expand_home,
    expand_tokens,
    first,
    keep,
    resolve,
)
from runner.transport.ssh_values import integer, seconds, truth
from runner.transport.ssh_words import UNSAFE_TO_IGNORE, UNSUPPORTED, canonical_word

_DEFAULT_TIMEOUT = Endpoint(host="", transport="ssh").connect_timeout
_DEFAULT_KEEPALIVE = Endpoint(host="", transport="ssh").keepalive
#: Keys that ssh tries where nothing names one (ssh(1), -i), without DSA.
DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
_CHECKING = {
    "yes": HostKeyChecking.STRICT,
    "true": HostKeyChecking.STRICT,
    "ask": HostKeyChecking.STRICT,  # a run cannot ask, so it refuses
    "accept-new": HostKeyChecking.ACCEPT_NEW,
    "no": HostKeyChecking.OFF,
    "off": HostKeyChecking.OFF,
    "false": HostKeyChecking.OFF,
}
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<ip>[^\]]+)\]|(?P<host>[^:@]+))(?::(?P<port>\d+))?/?"
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the controller keeps its ssh files: the user's home and the system's folder."""

    home: Path
    system: Path = Path("/etc/ssh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything one connection needs but the secrets.

    ``default_keys`` says that no key is named anywhere, so the usual ones are tried. ``jump`` is outermost first.
    ``name`` is what known_hosts is asked for.
    """

    endpoint: Endpoint
    values: Mapping[str, Sequence[Value]]
    address: str
    port: int
    user: str
    name: str
    timeout: float
    jump: tuple[Endpoint, ...]
    proxy_command: str | None
    checking: HostKeyChecking
    known_hosts: tuple[Path, ...]
    global_known_hosts: tuple[Path, ...]
    identities: tuple[Path, ...]
    default_keys: bool
    certificates: tuple[Path, ...]
    agent: str | None

    def enabled(self, word: str, default: bool) -> bool:
        """A word that is ``yes`` or ``no``."""
        held = self.values.get(word)
        return truth(held[0], word) if held else default

    @property
    def target(self) -> str:
        """``address:port as user``, for messages."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port} as {self.user}"


def _who_runs_this() -> str:
    """The user's name; its number where it has none, as in a container that runs as any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


class SettingsReader:
    """Works out the settings of endpoints; reads each configuration file once."""

    def __init__(self, places: Places, environment: Mapping[str, str] | None = None) -> None:
        self._places = places
        self._files = ConfigFiles(places.home)
        self._environment = os.environ if environment is None else environment
        self._local_user = _who_runs_this()

    def settings(self, endpoint: Endpoint, login_user: str | None = None) -> Settings:
        """The settings of an endpoint; ``login_user`` is the user name of its credential.

        Raises:
            ConfigError: an option or a configuration file is wrong.

        """
        user = endpoint.user or login_user
        local_user = self._local_user
        values = resolve(
            self._files,
            (
                (self._places.home / ".ssh" / "config", self._places.home / ".ssh"),
                (self._places.system / "ssh_config", self._places.system),
            ),
            Question(endpoint.address, user, local_user),
            _stated(endpoint, login_user),
            _succeeds,
        )
        for word in UNSAFE_TO_IGNORE & values.keys():
            raise ConfigError(f"{values[word][0].source}: `{word}` is not supported: {UNSUPPORTED[word]}")
        return self._settings(endpoint, values, local_user)

    def _settings(self, endpoint: Endpoint, values: dict[str, list[Value]], local_user: str) -> Settings:
        host = first(values, "Hostname") or endpoint.address
        host = expand_tokens(host, {"h": endpoint.address}, "Hostname")
        port = integer(values, "Port", 22)
        user = first(values, "User") or local_user
        expand = self._expander(endpoint.address, host, port, user, local_user, values)
        jump, proxy_command = _way(endpoint, values, user, port)
        if proxy_command is not None:
            proxy_command = expand.tokens(proxy_command)
        ssh = self._places.home / ".ssh"
        identities = tuple(expand.paths("IdentityFile"))
        return Settings(
            endpoint=endpoint,
            values=values,
            address=host,
            port=port,
            user=user,
            name=first(values, "HostKeyAlias") or host,
            timeout=seconds(values, "ConnectTimeout", endpoint.connect_timeout),
            jump=jump,
            proxy_command=proxy_command,
            checking=_checking(values),
            known_hosts=_files(
                expand, values, "UserKnownHostsFile", (ssh / "known_hosts", ssh / "known_hosts2")
            ),
            global_known_hosts=_files(
                expand,
                values,
                "GlobalKnownHostsFile",
                (self._places.system / "ssh_known_hosts", self._places.system / "ssh_known_hosts2"),
            ),
            identities=identities,
            default_keys="IdentityFile" not in values,
            certificates=tuple(expand.paths("CertificateFile")),
            agent=self._agent(expand, values),
        )

    def _agent(self, expand: _Expander, values: Mapping[str, Sequence[Value]]) -> str | None:
        named = first(values, "IdentityAgent")
        if named is not None and named.lower() == "none":
            return None
        if named is None or named == "SSH_AUTH_SOCK":
            return self._environment.get("SSH_AUTH_SOCK") or None
        if re.fullmatch(r"\$\w+", named):
            return self._environment.get(named[1:]) or None
        return next((str(path) for path in expand.paths("IdentityAgent")), None)

    def _expander(
        self,
        given: str,
        host: str,
        port: int,
        user: str,
        local_user: str,
        values: Mapping[str, Sequence[Value]],
    ) -> _Expander:
        local = socket.gethostname()
        jump = first(values, "ProxyJump") or ""
        mixed = f"{local}{host}{port}{user}{jump}"
        tokens = {
            "C": sha1(mixed.encode(), usedforsecurity=False).hexdigest(),
            "d": str(self._places.home),
            "h": host,
            "i": str(os.getuid()),
            "j": jump,
            "k": first(values, "HostKeyAlias") or given,
            "L": local.split(".")[0],
            "l": local,
            "n": given,
            "p": str(port),
            "r": user,
            "u": local_user,
        }
        return _Expander(tokens, self._environment, self._places.home, values)


@dataclass(frozen=True, slots=True)
class _Expander:
    """Expands ``~``, ``%h`` and ``${NAME}`` in the paths of the configuration."""

    percent: Mapping[str, str]
    environment: Mapping[str, str]
    home: Path
    values: Mapping[str, Sequence[Value]]

    def tokens(self, text: str, source: str = "ProxyCommand") -> str:
        return expand_tokens(text, self.percent, source)

    def paths(self, word: str) -> Iterator[Path]:
        """The paths of a word, in order; ``none`` names no file."""
        for value in self.values.get(word, ()):
            for argument in value.arguments:
                if argument.lower() != "none":
                    expanded = self._variables(self.tokens(argument, value.source), value.source)
                    yield expand_home(expanded, self.home)

    def _variables(self, text: str, source: str) -> str:
        def replace_variable(match: re.Match[str]) -> str:
            if match[1] not in self.environment:
                raise ConfigError(f"{source}: the environment has no `{match[1]}`")
            return self.environment[match[1]]

        return re.sub(r"\$\{(\w+)\}", replace_variable, text)


def _stated(endpoint: Endpoint, login_user: str | None) -> dict[str, list[Value]]:
    """What stands above the configuration files: the endpoint's keys, the credential's user, ``options``.

    ``connect_timeout`` and ``keepalive`` always hold a number, so their default counts as not said.
    """
    said: list[tuple[str, str | None, str]] = [
        ("Port", str(endpoint.port) if endpoint.port is not None else None, "port"),
        ("User", endpoint.user, "user_name"),
        ("User", login_user, "credential"),
        ("UserKnownHostsFile", endpoint.known_hosts, "known_hosts"),
        ("ConnectTimeout", _unless(endpoint.connect_timeout, _DEFAULT_TIMEOUT), "connect_timeout"),
        ("ServerAliveInterval", _unless(endpoint.keepalive, _DEFAULT_KEEPALIVE), "keepalive"),
        ("Compression", _yes(endpoint.compression), "compression"),
        (
            "StrictHostKeyChecking",
            endpoint.host_key_checking and _WORD_OF_CHECKING[endpoint.host_key_checking],
            "host_key_checking",
        ),
    ]
    values: dict[str, list[Value]] = {}
    for word, text, source in said:
        if text is not None:
            keep(values, word, Value((text,), source))
    for path in endpoint.key_files:
        keep(values, "IdentityFile", Value((path,), "key_file_path"))
    for written, text in endpoint.options:
        option = canonical_word(written)
        if option is None or option in UNSUPPORTED:
            reason = UNSUPPORTED.get(option or "", "ssh_config has no such word")
            raise ConfigError(f"options: `{written}` cannot be used: {reason}")
        raw = option == "ProxyCommand"
        keep(values, option, Value((text,) if raw else tuple(shlex.split(text)) or (text,), "options"))
    return values


_WORD_OF_CHECKING = {
    HostKeyChecking.STRICT: "yes",
    HostKeyChecking.ACCEPT_NEW: "accept-new",
    HostKeyChecking.OFF: "off",
}


def _unless(value: float, default: float) -> str | None:
    return None if value == default else f"{value:g}"


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _checking(values: Mapping[str, Sequence[Value]]) -> HostKeyChecking:
    text = first(values, "StrictHostKeyChecking")
    if text is None:
        return HostKeyChecking.STRICT
    if text.lower() not in _CHECKING:
        source = values["StrictHostKeyChecking"][0].source
        raise ConfigError(
            f"{source}: `StrictHostKeyChecking` must be one of {', '.join(_CHECKING)}: `{text}`"
        )
    return _CHECKING[text.lower()]


def _files(
    expand: _Expander, values: Mapping[str, Sequence[Value]], word: str, default: tuple[Path, ...]
) -> tuple[Path, ...]:
    return tuple(expand.paths(word)) if word in values else default


def _way(
    endpoint: Endpoint, values: Mapping[str, Sequence[Value]], user: str, port: int
) -> tuple[tuple[Endpoint, ...], str | None]:
    """The jump hosts or the proxy command; in the files the stronger line of the two wins, as in ssh."""
    if endpoint.jump is not None:
        return endpoint.jump, None
    jump, command = values.get("ProxyJump"), first(values, "ProxyCommand")
    words = list(values)
    if jump and not (command and words.index("ProxyCommand") < words.index("ProxyJump")):
        hops = parse_jump(jump[0].text, jump[0].source, endpoint)
        # ssh goes directly to a host that is named as its own jump host, as `Host *` with ProxyJump does.
        if len(hops) == 1 and _same(hops[0], endpoint, user, port):
            return (), None
        return hops, None
    return (), None if command is None or command.lower() == "none" else command


def _same(hop: Endpoint, endpoint: Endpoint, user: str, port: int) -> bool:
    return (
        hop.address.lower() == endpoint.address.lower()
        and (hop.port or 22) == port
        and (hop.user or user) == user
    )


def parse_jump(text: str, source: str, behind: Endpoint) -> tuple[Endpoint, ...]:
    """The hosts of a ``ProxyJump`` value, outermost first; ``none`` is no host.

    >>> [hop.host for hop in parse_jump("ops@gate:2222,inner", "options", Endpoint(host="web", transport="ssh"))]
    ['gate', 'inner']

    Raises:
        ConfigError: it is not ``[user@]host[:port]``, separated by commas.

    """
    if text.lower() == "none":
        return ()
    hops = []
    for part in text.split(","):
        match = _JUMP.fullmatch(part.strip())
        if match is None:
            raise ConfigError(f"{source}: `ProxyJump` must be `[user@]host[:port]`: `{part}`")
        host = match["ip"] or match["host"]
        port = int(match["port"]) if match["port"] else None
        hops.append(
            replace(
                Endpoint(host=host, transport="ssh", address=host, port=port, user=match["user"]),
                connect_timeout=behind.connect_timeout,
                known_hosts=behind.known_hosts,
                host_key_checking=behind.host_key_checking,
            )
        )
    return tuple(hops)


def _succeeds(command: str) -> bool:
    """Run the command of a ``Match exec`` line, which the controller's user wrote for a shell."""
    ended = subprocess.run(  # noqa: S602 - ssh_config(5): the command is executed under the user's shell
        command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return ended.returncode == 0
