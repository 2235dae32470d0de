"""Where: each step on its hosts, with how each is reached and spoken to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runner.document.nodes import AnyNode, Scalar
from runner.document.nodes import Sequence as SequenceNode
from runner.errors import RunnerError
from runner.inventory.connection import connection_settings
from runner.inventory.inventory import Inventory
from runner.plan.connection import EndpointMaker, settings_of
from runner.plan.hosts import NamedHost, hosts_of_pattern, hosts_of_target, local_host
from runner.plan.layers import nearest_logins
from runner.plan.model import Placement
from runner.plan.setting import Reach, Setting
from runner.plan.winrm import ClientCertificates
from runner.plan.winrm_rules import WinrmRules
from runner.playbook.check import LOCAL
from runner.playbook.model import Playbook, Session, Step, Target
from runner.problems import Problems, suggestion
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.using.model import Shell
from runner.values import Secret, Span
from runner.variables.scope import HostScopes, Scope

_KIND_TRANSPORTS = {"connection_uri": "winrm", "container_id": "container", "vm_name": "vm", "vm_id": "vm"}
_CANCEL_TIMEOUTS = {"winrm": 60.0}
"""Seconds; New-PSSessionOption's CancelTimeout (remoting.md 3.1)."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says over every setting: ``--user``, ``--credential``, ``--shell``, ``-l``, a password."""

    user: str | None = None
    credential: str | None = None
    shell: Shell | None = None
    limit: frozenset[str] | None = None
    logins: Mapping[str, Login] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """As connection settings, the nearest of all."""
        given = {"user_name": self.user, "credential": self.credential, "shell": self.shell}
        return {key: str(value) for key, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement with what limits apply to it by name: ``(kind, name)`` to the limit; ``target`` names its hosts.

    ``delegates`` are those of the placement, whose limits hold in the place of its own.
    """

    placement: Placement
    reach: Reach
    limits: Mapping[tuple[str, str], int]
    target: Target | None = None
    delegates: tuple[Placed, ...] = ()


def reached(placed: Sequence[Placed]) -> list[Placed]:
    """Where the body of a step runs: on the hosts, or on those they delegate to, each once."""
    found = {id(each): each for item in placed for each in item.delegates or (item,)}
    return list(found.values())


class Placer:
    """Places steps; what steps with the same target share is made once."""

    def __init__(
        self,
        playbook: Playbook,
        inventory: Inventory | None,
        scopes: HostScopes,
        overrides: Overrides,
        problems: Problems,
        certificates: ClientCertificates | None = None,
    ) -> None:
        self._playbook = playbook
        self._inventory = inventory
        self._scopes = scopes
        self._overrides = overrides
        self._problems = problems
        self._directory = Path(playbook.path).parent
        self._rules = WinrmRules(playbook.credentials, problems)
        self._endpoints = EndpointMaker(problems, self._reach_of_name, certificates, playbook.deadlines)
        self._placed: dict[object, tuple[Placed, ...]] = {}
        self._addresses: dict[str, tuple[Endpoint, Span]] = {}
        self.logins: dict[str, Login] = {}
        """Logins with passwords that an Ansible inventory holds, under names no credential can have."""

    def place(self, step: Step, *, unlimited: bool = False) -> tuple[Placed, ...]:
        """The step's hosts in the order they start; a host named twice stands where it is named first.

        ``unlimited``: hosts that ``-l`` leaves out are placed too, as those are that others delegate to.
        """
        key = (
            tuple(target.text for target in step.targets),
            tuple(session.text for session in step.sessions),
            _written(step.hosts),
            step.shell,
            step.no_new_scope,
            step.on_loss,
            unlimited,
            tuple((name, id(value)) for name, value in step.connection.items()),
        )
        known = self._placed.get(key)
        if known is not None:
            return known
        told = len(self._problems)
        found: dict[str, Placed] = {}
        for placed in self._place(step, None if unlimited else self._overrides.limit):
            found.setdefault(placed.placement.host, placed)
        result = tuple(found.values())
        if len(self._problems) == told:  # else each step tells its own, at its own place
            self._placed[key] = result
        return result

    def _place(self, step: Step, limit: frozenset[str] | None) -> list[Placed]:
        placed: list[Placed] = []
        for named in step.sessions:
            session = self._playbook.sessions.get(named.text)
            for name in session.targets if session else ():
                placed += self._place_target(name, step, session, named.span, limit)
        for named in step.targets:
            placed += self._place_target(named.text, step, None, named.span, limit)
        if step.hosts is not None:
            hosts = hosts_of_pattern(step.hosts, self._inventory, self._directory, self._problems)
            placed += self._place_hosts(hosts, None, step, None, limit)
        if not (step.sessions or step.targets or step.hosts is not None):
            placed += self._place_hosts([local_host(step.span)], None, step, None, limit)
        return placed

    def _place_target(
        self, name: str, step: Step, session: Session | None, span: Span, limit: frozenset[str] | None
    ) -> list[Placed]:
        if name == LOCAL:
            return self._place_hosts([local_host(span)], None, step, session, limit)
        target = self._playbook.targets.get(name)
        if target is None:
            return []
        hosts = hosts_of_target(target, self._inventory, self._directory, self._problems)
        return self._place_hosts(hosts, target, step, session, limit)

    def _place_hosts(
        self,
        hosts: Sequence[NamedHost],
        target: Target | None,
        step: Step,
        session: Session | None,
        limit: frozenset[str] | None,
    ) -> list[Placed]:
        placed = []
        for written in hosts:
            try:
                host = self._named(written, target)
                if not _within_limit(host, limit):
                    continue
                placed.append(self._place_host(host, target, step, session))
            except RunnerError as error:
                self._problems.extend(error.problems)
        return placed

    def _named(self, host: NamedHost, target: Target | None) -> NamedHost:
        """The host under the ``name`` of its target, which takes the place of what was written."""
        node = target.connection.get("name") if target is not None else None
        if node is None:
            return host
        name = str(self._scopes.of(host.name).render(node))
        return replace(host, name=name, address=host.address or host.name)

    def _place_host(
        self, host: NamedHost, target: Target | None, step: Step, session: Session | None
    ) -> Placed:
        reach = self._reach(host, target, step)
        endpoint = self._endpoints.endpoint(reach)
        self._rules.check(reach, endpoint)
        self._check_credential(reach, endpoint)
        self._check_same_host(host, endpoint)
        shell = step.shell or reach.shell or self._default_shell(reach, target)
        kept = session.name if session else None
        if step.no_new_scope and endpoint.transport == "local":
            kept = f"{LOCAL} {shell}"  # steps in one scope share one local interpreter a shell and run
        placement = Placement(
            host=host.name,
            endpoint=endpoint,
            shell=shell,
            interpreter=reach.text(f"interpreter:{shell}") or reach.text("interpreter"),
            session=kept,
            session_on_loss=step.on_loss or (session.on_loss if session else "fail"),
            session_reset=session.reset if session else "never",
            session_idle_close=session.idle_close if session else None,
            session_label=self._label(session, host),
            cancel_timeout=_cancel_timeout(endpoint),
            close_timeout=self._playbook.deadlines.close,
        )
        return Placed(placement, reach, self._limits(placement, reach, target, session), target)

    def _default_shell(self, reach: Reach, target: Target | None) -> Shell:
        speaks = target is not None and target.kind in {
            "connection_uri",
            "vm_name",
            "vm_id",
            "ssh_connections",
        }
        return Shell.POWERSHELL if speaks else reach.default_shell

    def _has_user_name(self, credential: Any, scope: Scope) -> bool:
        known = self._playbook.credentials.get(str(scope.render(credential)))
        return known is not None and known.username is not None

    def _reach(self, host: NamedHost, target: Target | None, step: Step | None = None) -> Reach:
        scope = self._scopes.of(host.name)
        layers: list[Mapping[str, Any]] = []
        if host.connection.get("transport") != "local":
            layers.append(self._playbook.default_connection)
            if self._inventory is not None:
                layers.append(_values(connection_settings(self._inventory, host.name)))
            if target is not None and target.kind in _KIND_TRANSPORTS:
                layers.append({"transport": _KIND_TRANSPORTS[target.kind]})
        layers.append(target.connection if target is not None else {})
        layers += [host.connection, step.connection if step is not None else {}]
        if host.connection.get("transport") != "local":
            layers.append(self._overrides.settings)
        settings = settings_of(
            nearest_logins(layers, lambda said: self._has_user_name(said, scope)), scope.render, host.span
        )
        self._keep_password(host, settings)
        return Reach(host, self._with_session_option(host.name, settings))

    def _keep_password(self, host: NamedHost, settings: dict[str, Setting]) -> None:
        password = settings.get("password")
        if password is not None and isinstance(password.value, Secret) and "credential" not in settings:
            name = f"password of {host.name}"
            self.logins[name] = Login(password=password.value)
            settings["credential"] = Setting(name, password.span)

    def _label(self, session: Session | None, host: NamedHost) -> str | None:
        if session is None or session.display_name is None:
            return None
        return str(self._scopes.of(host.name).render(session.display_name))

    def _with_session_option(self, host: str, settings: dict[str, Setting]) -> dict[str, Setting]:
        """A named session option replaced by what it says, its templates evaluated for the host."""
        setting = settings.get("session_option")
        if setting is None or not isinstance(setting.value, str):
            return settings
        named = self._playbook.session_options.get(setting.value)
        if named is None:
            self._tell_unknown("session option", setting.value, self._playbook.session_options, setting.span)
        option = self._scopes.of(host).render(named) if named is not None else {}
        return {**settings, "session_option": replace(setting, value=option, written=named)}

    def _reach_of_name(self, name: str, span: Span) -> Reach | None:
        if self._inventory is None or name not in self._inventory.hosts:
            return None
        return self._reach(NamedHost(name, span), None)

    def _check_credential(self, reach: Reach, endpoint: Endpoint) -> None:
        """What an inventory says, or a template comes to, is known to no other check."""
        name = endpoint.credential
        if name is None or any(
            name in known for known in (self._playbook.credentials, self.logins, self._overrides.logins)
        ):
            return
        self._tell_unknown("credential", name, self._playbook.credentials, reach.span("credential"))

    def _tell_unknown(self, kind: str, name: str, known: Iterable[str], span: Span) -> None:
        """A warning where an inventory names it, which may be there for other playbooks."""
        code, words, hints = (
            f"unknown-{kind.replace(' ', '-')}",
            f"no {kind} is named `{name}`",
            suggestion(name, known),
        )
        if any(document.source.path == span.path for document in self._playbook.documents):
            self._problems.error(code, words, span, *hints)
        else:
            self._problems.warning(code, words, span, *hints)

    def _check_same_host(self, host: NamedHost, endpoint: Endpoint) -> None:
        first, span = self._addresses.setdefault(host.name, (endpoint, host.span))
        if _who(first) != _who(endpoint):
            self._problems.error(
                "host-twice",
                f"`{host.name}` names two different hosts: {_place(first)} ({span}) and {_place(endpoint)}",
                host.span,
                "give one of them another name with `name:`",
            )

    def _limits(
        self, placement: Placement, reach: Reach, target: Target | None, session: Session | None
    ) -> dict[tuple[str, str], int]:
        limits: dict[tuple[str, str], int] = {}
        if target is not None and target.throttle:
            limits["target", target.name] = target.throttle
        if session is not None and session.throttle:
            limits["session", session.name] = session.throttle
        if self._inventory is not None:
            for group, limit in self._inventory.group_throttles(placement.host).items():
                limits["group", group] = limit
        credential = self._playbook.credentials.get(placement.endpoint.credential or "")
        if credential is not None and credential.throttle:
            limits["credential", credential.name] = credential.throttle
        for name, limit in self._jump_limits(reach):
            limits["jump", name] = limit
        return limits

    def _jump_limits(self, reach: Reach) -> list[tuple[str, int]]:
        setting = reach.settings.get("jump")
        items = setting.value if setting is not None and isinstance(setting.value, list) else []
        found = []
        for item in items:
            if isinstance(item, dict) and isinstance(item.get("throttle"), int):
                found.append((str(item.get("host_name")), item["throttle"]))
            elif isinstance(item, str) and self._inventory is not None and item in self._inventory.hosts:
                limit = connection_settings(self._inventory, item).get("throttle")
                value = limit.value.value if limit is not None and isinstance(limit.value, Scalar) else None
                if isinstance(value, int):
                    found.append((item, value))
        return found


def _written(who: AnyNode | None) -> object:
    """What is equal for two steps that say the same: a pattern or a list of them; else the place itself."""
    if who is None:
        return None
    if isinstance(who, Scalar):
        return who.text
    if isinstance(who, SequenceNode) and all(isinstance(item, Scalar) for item in who.items):
        return tuple(item.text for item in who.items if isinstance(item, Scalar))
    return id(who)


def _within_limit(host: NamedHost, limit: frozenset[str] | None) -> bool:
    return limit is None or host.name in limit or host.connection.get("transport") == "local"


def _values(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: setting.value for key, setting in settings.items() if key != "throttle"}


def _who(endpoint: Endpoint) -> tuple[object, ...]:
    """What tells two hosts apart, whoever logs in there and however."""
    url = endpoint.winrm.url if endpoint.winrm is not None else None
    return endpoint.transport, endpoint.address, endpoint.port, url


def _place(endpoint: Endpoint) -> str:
    if endpoint.transport == LOCAL:
        return "this controller"
    if endpoint.winrm is not None:
        return f"`{endpoint.winrm.url.partition('?')[0]}`"
    port = f":{endpoint.port}" if endpoint.port else ""
    return f"`{endpoint.transport}://{endpoint.address}{port}`"


def _cancel_timeout(endpoint: Endpoint) -> float:
    """Seconds for a stop: what the session option says, else the reference's over WinRM and our own elsewhere."""
    said = endpoint.session_options.cancel_timeout
    return said if said is not None else _CANCEL_TIMEOUTS.get(endpoint.transport, 10.0)
