"""How: connection settings from all their layers, the nearest winning, made into an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import Node
from runner.plan.hosts import NamedHost, parse_ssh_name
from runner.plan.session_options import session_options
from runner.plan.setting import Reach, Setting
from runner.plan.winrm import ClientCertificates, WinrmMaker
from runner.playbook.control import Deadlines
from runner.problems import Problems
from runner.transport.endpoint import Endpoint, HostKeyChecking
from runner.units import parse_duration
from runner.values import Span

TRANSPORTS = ("local", "ssh", "winrm")
"""Those that a plan can be run over."""


class EndpointMaker:
    """Makes endpoints; knows how to find the settings of a jump host that the inventory names.

    ``reach_of`` gives the settings of a host by its inventory name, or None where there is no such host;
    ``certificates`` the client certificates that a thumbprint may name; ``deadlines`` are the playbook's.
    """

    def __init__(
        self,
        problems: Problems,
        reach_of: Callable[[str, Span], Reach | None],
        certificates: ClientCertificates | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._problems = problems
        self._deadlines = deadlines or Deadlines()
        self._reach_of = reach_of
        self._winrm = WinrmMaker(problems, certificates)

    def endpoint(self, reach: Reach, *, through: tuple[str, ...] = ()) -> Endpoint:
        """The endpoint of a host; ``through`` are the hosts whose jump it is, against circles."""
        transport = reach.transport
        options = session_options(reach.settings.get("session_option"), transport, self._problems)
        connect_timeout = self._timeout(reach, options.open_timeout)
        if options.open_timeout is None and self._deadlines.open is not None:
            options = replace(options, open_timeout=self._deadlines.open)
        if transport == "local":
            return Endpoint(host=reach.host.name, transport="local", session_options=options)
        endpoint = Endpoint(
            host=reach.host.name,
            transport=transport,
            address=reach.text("address") or reach.host.address or reach.host.name,
            port=self._port(reach),
            user=reach.text("user_name"),
            credential=reach.text("credential"),
            connect_timeout=connect_timeout,
            session_options=options,
        )
        if transport == "winrm":
            return self._winrm.endpoint(reach, endpoint)
        if transport != "ssh":
            return endpoint
        keys = reach.settings.get("key_file_path")
        return replace(
            endpoint,
            key_files=tuple(keys.path(str(key)) for key in _as_list(keys)) if keys is not None else (),
            jump=self._jump(reach, (*through, reach.host.name)),
            options=self._options(reach),
            known_hosts=reach.path("known_hosts"),
            host_key_checking=self._checking(reach),
            compression=False if options.no_compression else None,
            subsystem=reach.subsystem,
        )

    def _port(self, reach: Reach) -> int | None:
        setting = reach.settings.get("port")
        if setting is None or setting.value in (None, 0, "0"):
            return None
        text = str(setting.value)
        if not text.isdigit() or not 1 <= int(text) <= 65535:
            words = f"`port` of `{reach.host.name}` must be a number from 1 to 65535: `{text}`"
            self._problems.error("setting-value", words, setting.span)
            return None
        return int(text)

    def _timeout(self, reach: Reach, open_timeout: float | None) -> float:
        """Seconds for connecting: what is said, the deadline, else 30; opening a session cannot take less."""
        setting = reach.settings.get("connect_timeout")
        said = self._deadlines.connect
        if setting is not None:
            try:
                said = parse_duration(setting.value).total_seconds()
            except ValueError as error:
                words = f"`connect_timeout` of `{reach.host.name}`: {error}: `{setting.value}`"
                self._problems.error("setting-value", words, setting.span)
        return min([seconds for seconds in (said, open_timeout) if seconds], default=30.0)

    def _checking(self, reach: Reach) -> HostKeyChecking | None:
        setting = reach.settings.get("host_key_checking")
        if setting is None:
            return None
        word = str(setting.value).lower().replace("-", "_")
        if isinstance(setting.value, bool):  # Ansible's habit: host_key_checking: false
            return HostKeyChecking.STRICT if setting.value else HostKeyChecking.OFF
        found = next((kind for kind in HostKeyChecking if kind.value == word), None)
        if found is None:
            words = f"`host_key_checking` must be `strict`, `accept_new` or `off`: `{setting.value}`"
            self._problems.error("setting-value", words, setting.span)
        return found

    def _options(self, reach: Reach) -> tuple[tuple[str, str], ...]:
        setting = reach.settings.get("options")
        value = setting.value if setting is not None else None
        if not isinstance(value, dict):
            return ()
        return tuple((str(k), _ssh_word(v)) for k, v in value.items())

    def _jump(self, reach: Reach, through: tuple[str, ...]) -> tuple[Endpoint, ...] | None:
        setting = reach.settings.get("jump")
        if setting is None:
            return None
        jumps = []
        for item in _as_list(setting):
            name = item if isinstance(item, str) else None
            if name == reach.host.name:
                continue  # an inventory-wide jump does not apply to the jump host itself
            if name is not None and name in through:
                circle = " -> ".join(f"`{host}`" for host in (*through, name))
                self._problems.error("jump-cycle", f"jump hosts need each other: {circle}", setting.span)
                continue
            known = self._reach_of(name, setting.span) if name is not None else None
            jumps.append(
                self.endpoint(known, through=through)
                if known is not None
                else self._written_jump(item, setting)
            )
        return tuple(jump for jump in jumps if jump is not None)

    def _written_jump(self, item: Any, setting: Setting) -> Endpoint | None:
        if isinstance(item, dict):
            host = NamedHost(str(item.get("host_name") or item.get("computer_name")), setting.span)
            settings = {
                key: Setting(value, setting.span) for key, value in item.items() if key != "host_name"
            }
            return replace(
                self.endpoint(Reach(host, {"transport": Setting("ssh", setting.span), **settings})), jump=()
            )
        named = parse_ssh_name(str(item), setting.span)
        if named is None:
            words = f"expected `host`, `user@host` or `user@host:port`: `{item}`"
            self._problems.error("host-name", words, setting.span)
            return None
        settings = {key: Setting(value, setting.span) for key, value in named.connection.items()}
        return replace(self.endpoint(Reach(named, settings)), jump=())


def _as_list(setting: Setting | None) -> list[Any]:
    if setting is None or setting.value is None:
        return []
    return list(setting.value) if isinstance(setting.value, list) else [setting.value]


def _ssh_word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def settings_of(
    layers: list[Mapping[str, Any]], render: Callable[[Any], Any], fallback: Span
) -> dict[str, Setting]:
    """Connection settings, low layers first, later ones winning; templates rendered in the host's scope."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    return {key: _setting(value, render, fallback) for key, value in merged.items()}


def _setting(value: Any, render: Callable[[Any], Any], fallback: Span) -> Setting:
    written = value if isinstance(value, MappingNode) else None
    return Setting(render(value), value.span if isinstance(value, Node) else fallback, written)
