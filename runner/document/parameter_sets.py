"""Rules between keys: Invoke-Command's parameter sets, and what its documentation says excludes or requires what.

The table is that of remoting.md 3.2 and coverage.md A1. Limits of Invoke-Command that are lifted on purpose
(language.md, "Combinations"): throttle, credential and ``disconnected`` on SSH and containers, ``job_name`` with
``file`` over SSH and on VMs, ``certificate_thumbprint`` with ``file``, a port per host; and keys beside
``ssh_connections`` stand for all its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence
from runner.document.schema_place import STEP_LISTS, step_name
from runner.problems import Problems
from runner.units import parse_duration

SSH_KEYS = (
    *(
        "user_name",
        "key_file_path",
        "identity_file_path",
        "subsystem",
        "connecting_timeout",
        "options",
        "jump",
    ),
    *("host_key_checking", "known_hosts", "ssh_transport"),
)
WINRM_KEYS = (
    *("authentication", "use_ssl", "application_name", "certificate_thumbprint", "allow_redirection"),
    *("enable_network_access", "trusted_hosts"),
)
CONTAINER_KEYS = ("run_as_administrator", "runtime")
REMOTE_KEYS = (
    *("credential", "port", "connect_timeout", "session_option", "configuration_name", "throttle"),
    *SSH_KEYS,
    *WINRM_KEYS,
    *CONTAINER_KEYS,
    "via",
)
_SHORTEST_IDLE = 60
"""Seconds; WinRM refuses a session with less (remoting.md 3.1)."""
ALIASES = (("connect_timeout", "connecting_timeout"), ("key_file_path", "identity_file_path"))


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """A way to say who, or a transport: its name at Invoke-Command, its transport, and the keys that it excludes."""

    name: str
    transport: str | None
    excluded: frozenset[str]
    because: dict[str, str] = field(default_factory=dict)


def _set(name: str, transport: str | None, excluded: Iterable[str], **because: str) -> ParameterSet:
    return ParameterSet(name, transport, frozenset({*excluded, *because}), because)


_URI_REASONS = {
    "port": "the URI says it",
    "use_ssl": "the scheme of the URI says it",
    "application_name": "the path of the URI says it",
}
_ENGINE = {"interpreter": "the session configuration of the host says the engine"}
_ONLY_URI = {"allow_redirection": "only a `connection_uri` is redirected"}
_VM = _set("VMName", "vm", (*SSH_KEYS, *WINRM_KEYS, *CONTAINER_KEYS, "port", "session_option"))
_CONTAINER = _set("ContainerId", "container", (*SSH_KEYS, *WINRM_KEYS, "port", "session_option", "via"))
_SSH = (*WINRM_KEYS, *CONTAINER_KEYS, "via")
_LOCAL = _set("InProcess", "local", REMOTE_KEYS)

KINDS: dict[str, ParameterSet] = {
    "hosts": _set("ComputerName", None, (), **_ONLY_URI),
    "ssh_connections": _set("SSHHostHash", "ssh", _SSH),
    "connection_uri": _set("Uri", "winrm", (*SSH_KEYS, *CONTAINER_KEYS, "via"), **_URI_REASONS, **_ENGINE),
    "container_id": _CONTAINER,
    "vm_name": _VM,
    "vm_id": _VM,
    "vm_guid": _VM,
    "local": _LOCAL,
}
TRANSPORTS: dict[str, ParameterSet] = {
    "ssh": _set("SSHHost", "ssh", _SSH),
    "winrm": _set("ComputerName", "winrm", (*SSH_KEYS, *CONTAINER_KEYS, "via"), **_ENGINE),
    "container": _CONTAINER,
    "vm": _VM,
    "local": _LOCAL,
}


def check_rules(root: AnyNode, problems: Problems, known: frozenset[int]) -> frozenset[int]:
    """Check a playbook or a steps file; ``known`` are nodes that have a problem already. Gives further such nodes."""
    rules = _Rules(problems, known)
    parts = _entries(root)
    defaults = _entries(parts.get("defaults"))
    connection = _entries(defaults.get("connection"))
    targets = {n: t for n, t in _entries(parts.get("targets")).items() if isinstance(t, Mapping)}
    for name, target in targets.items():
        rules.target(target, f"target `{name}`", has_credential="credential" in connection)
    rules.connection(defaults.get("connection"), "`defaults.connection`")
    for name, option in _entries(parts.get("session_options")).items():
        rules.session_option(option, f"session option `{name}`")
    local = frozenset({"local", *(name for name, target in targets.items() if "local" in target)})
    for step, name in _steps(root if isinstance(root, Sequence) else parts.get("steps")):
        rules.step(step, name, defaults, local)
    return frozenset(rules.noted)


def check_connections(root: AnyNode, problems: Problems, known: frozenset[int]) -> frozenset[int]:
    """Check the ``connection`` mappings of an inventory."""
    rules = _Rules(problems, known)
    parts = _entries(root)
    rules.connection(parts.get("connection"), "`connection`")
    places = [parts.get("hosts")]
    for name, group in _entries(parts.get("groups")).items():
        if isinstance(group, Mapping):
            rules.connection(group.get("connection"), f"`connection` of group `{name}`")
            places.append(group.get("hosts"))
    for hosts in places:
        for name, host in hosts.items() if isinstance(hosts, Mapping) else ():
            if isinstance(host, Mapping) and "connection" in host.entries:
                rules.connection(host.get("connection"), f"`connection` of host `{name}`")
    return frozenset(rules.noted)


class _Rules:
    """Notes what breaks a rule, at the key that does, and stays quiet about keys that are wrong already."""

    def __init__(self, problems: Problems, known: frozenset[int]) -> None:
        self._problems = problems
        self._known = known
        self.noted: set[int] = set()

    def target(self, node: Mapping, owner: str, *, has_credential: bool) -> None:
        kinds = [key for key in node.entries if key in KINDS]
        self._aliases(node, owner)
        if len(kinds) != 1:
            return  # told by the schema; what else is wrong depends on it
        kind = KINDS[kinds[0]]
        transport = _word(node.get("transport"))
        if kind.transport and transport in TRANSPORTS and transport != kind.transport:
            self._excluded(
                node, "transport", kinds[0], f"it is reached by `{kind.transport}`", owner, kind.name
            )
        self._set(node, kind, kinds[0], owner)
        if kind.transport is None:
            self._transport(node, owner)
        if kind is _VM and "credential" not in node and not has_credential:
            self._problem(
                "missing-companion",
                f"`{kinds[0]}` of {owner} needs `credential`: an account of the guest",
                node,
                kinds[0],
                "add `credential: NAME`, one of the playbook's `credentials`",
            )
        self._logins(node, owner)
        if kind.transport == "ssh":
            self._subsystem(node)
        entries = node.get("ssh_connections")
        for entry in entries.items if isinstance(entries, Sequence) else [entries]:
            if isinstance(entry, Mapping):
                self._aliases(entry, owner)
        self.session_option(node.get("session_option"), f"`session_option` of {owner}")

    def connection(self, node: AnyNode | None, owner: str) -> None:
        if not isinstance(node, Mapping):
            return
        self._aliases(node, owner)
        self._transport(node, owner)
        self._logins(node, owner)
        self.session_option(node.get("session_option"), f"`session_option` of {owner}")

    def session_option(self, node: AnyNode | None, owner: str) -> None:
        if not isinstance(node, Mapping):
            return
        if "proxy_credential" in node and _word(node.get("proxy_access_type")) in {None, "none"}:
            words = f"`proxy_credential` of {owner} goes with a `proxy_access_type` other than `none` only"
            self._problem("missing-companion", words, node, "proxy_credential", "add `proxy_access_type`")
        idle = node.get("idle_timeout")
        if not isinstance(idle, Scalar) or id(idle) in self._known or "{{" in idle.text:
            return
        if parse_duration(idle.text).total_seconds() < _SHORTEST_IDLE:
            message = f"`idle_timeout` of {owner} must be at least 1 minute: `{idle.text}`"
            self._problems.error("wrong-value", message, idle.span, "write `1m` or more")
            self.noted.add(id(idle))

    def step(self, node: Mapping, owner: str, defaults: dict[str, AnyNode], local: frozenset[str]) -> None:
        who = [key for key in node.entries if key in {"target", "session", "hosts"}]
        for key in who[1:]:
            words = f"`{key}` of {owner} does not go with `{who[0]}`: a step says who in one way"
            self._problem("two-whos", words, node, key, f"keep `{who[0]}` or `{key}`")
        self._modes(node, owner)
        if "session" in node:
            self._excluded(
                node, "connection", "session", "a session has its target's connection", owner, "Session"
            )
        if _is_on(node, "no_new_scope") and not _is_local(node, defaults, local):
            words = f"`no_new_scope` of {owner} goes with local steps only (parameter set InProcess)"
            self._problem(
                "excluded-key", words, node, "no_new_scope", "use `session` to keep variables on hosts"
            )
        for key, how in (("native_exit_code", "it asks by"), ("strict_mode", "it is set by")):
            if "command" in node and _is_on(node, key):
                reason = f"{how} a script, and `command` is for endpoints that take none"
                self._excluded(node, key, "command", reason, owner)
        self.connection(node.get("connection"), f"`connection` of {owner}")

    def _modes(self, node: Mapping, owner: str) -> None:
        """Plain, background and disconnected exclude each other."""
        if "session_name" in node and "disconnected" not in node:
            words = f"`session_name` of {owner} goes with `disconnected: true` only"
            hint = "add `disconnected: true`; a name sent with a kept session is the `name` of the session"
            self._problem("missing-companion", words, node, "session_name", hint)
        if not _is_on(node, "disconnected"):
            return
        if "session" in node:
            reason = "a kept session stays connected"
            self._excluded(node, "disconnected", "session", reason, owner, "Session")
        for key in ("background", "job_name"):
            if key == "job_name" or _is_on(node, key):
                reason = "a step is a job or a disconnected session, not both"
                self._excluded(node, key, "disconnected", reason, owner)

    def _set(self, node: Mapping, kind: ParameterSet, key: str, owner: str) -> None:
        for name in node.entries:
            if name in kind.excluded:
                self._excluded(node, name, key, kind.because.get(name, ""), owner, kind.name)

    def _transport(self, node: Mapping, owner: str) -> None:
        """What an explicit transport excludes; without one the inventory may say, so nothing is known."""
        word = _word(node.get("transport"))
        forced = "ssh_transport" in node
        kind = TRANSPORTS.get("ssh" if forced and word is None else word or "")
        if kind is None:
            return
        written = "ssh_transport" if word is None else f"transport: {word}"
        self._set(node, kind, written, owner)
        if kind.transport == "ssh":
            self._subsystem(node)

    def _logins(self, node: Mapping, owner: str) -> None:
        """How one logs in: a certificate, the controller's own ticket, or a credential."""
        authentication = _word(node.get("authentication"))
        certificate = node.get("certificate_thumbprint")
        if certificate is not None and id(certificate) not in self.noted:
            reason = "the certificate is the login"
            self._excluded(node, "credential", "certificate_thumbprint", reason, owner)
            if authentication not in {None, "default"}:
                self._excluded(node, "authentication", "certificate_thumbprint", reason, owner)
        if authentication == "negotiatewithimplicitcredential":
            written = f"authentication: {authentication}"
            self._excluded(node, "credential", written, "it logs in with the ticket you have", owner)
        if authentication == "digest":
            words = f"`authentication` of {owner} cannot be `digest`: servers no longer offer it"
            hints = ("use `negotiate`, `kerberos` or, over https, `basic`",)
            self._problem("digest-authentication", words, node, "authentication", *hints)

    def _subsystem(self, node: Mapping) -> None:
        configuration = node.get("configuration_name")
        if configuration is not None and "subsystem" in node:
            words = "over SSH `configuration_name` means `subsystem`, and both are given"
            self._problems.error("subsystem-twice", words, configuration.span, "keep `subsystem`")
            self.noted.add(id(configuration))

    def _aliases(self, node: Mapping, owner: str) -> None:
        for name, alias in ALIASES:
            if name in node and alias in node:
                words = f"`{alias}` of {owner} does not go with `{name}`: both are names of one key"
                self._problem("alias-twice", words, node, alias, f"keep `{name}`")

    def _excluded(
        self, node: Mapping, key: str, other: str, reason: str, owner: str, parameter_set: str = ""
    ) -> None:
        if key not in node:
            return
        words = f"`{key}` of {owner} does not go with `{other}`"
        words += f": {reason}" if reason else ""
        words += f" (parameter set {parameter_set})" if parameter_set else ""
        self._problem("excluded-key", words, node, key, f"leave `{key}` out")

    def _problem(self, code: str, message: str, node: Mapping, key: str, *hints: str) -> None:
        name, value = node.entries[key]
        if id(value) not in self._known:
            self._problems.error(code, message, name.span, *hints)
            self.noted.add(id(value))


def _steps(node: AnyNode | None) -> Iterator[tuple[Mapping, str]]:
    """All steps with their names, those inside blocks too."""
    for index, item in enumerate(node.items if isinstance(node, Sequence) else ()):
        if isinstance(item, Mapping):
            yield item, step_name(item, index)
            for key in STEP_LISTS:
                yield from _steps(item.get(key))


def _is_local(step: Mapping, defaults: dict[str, AnyNode], local: frozenset[str]) -> bool:
    """Whether a step runs on the controller only, as far as it says who."""
    said = step if any(key in step for key in ("target", "session", "hosts")) else None
    parts = _entries(said) if said is not None else defaults
    if "session" in parts or "hosts" in parts:
        return False
    target = parts.get("target")
    names = target.items if isinstance(target, Sequence) else [target]
    return all(name is None or (isinstance(name, Scalar) and name.text in local) for name in names)


def _entries(node: AnyNode | None) -> dict[str, AnyNode]:
    return dict(node.items()) if isinstance(node, Mapping) else {}


def _word(node: AnyNode | None) -> str | None:
    return node.text.lower() if isinstance(node, Scalar) and node.value is not None else None


def _is_on(node: Mapping, key: str) -> bool:
    """Whether a switch is on; a template may turn it on."""
    value = node.get(key)
    return isinstance(value, Scalar) and value.value not in (None, False)
