"""The sections of a playbook, from nodes to the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.document.traps import check_path, check_pattern, check_variable_words
from runner.playbook.control import Deadlines, Later, Pool, PoolUse
from runner.playbook.later import SECRET_SOURCES, TARGET_KEYS, later_keys
from runner.playbook.model import Credential, Input, SecretSource, Session, Target
from runner.playbook.read import entries_of, flag_of, scalars_of, seconds_of, text_of, throttle_of, word_of
from runner.problems import Problems

TARGET_KINDS = ("hosts", "ssh_connections", "connection_uri", "container_id", "vm_name", "vm_id", "local")
_KIND_ALIASES = {"vm_guid": "vm_id"}
_NOT_CONNECTION = frozenset({*TARGET_KINDS, *_KIND_ALIASES, *TARGET_KEYS, "throttle"})
_CONNECTION_ALIASES = {
    "connecting_timeout": "connect_timeout",
    "identity_file_path": "key_file_path",
    "computer_name": "host_name",
}


def parse_inputs(node: AnyNode | None) -> dict[str, Input]:
    """``inputs``: a mapping of declarations; a bare type word stands for ``{type: word}``."""
    inputs = {}
    for name, value in entries_of(node).items():
        rules = value if isinstance(value, Mapping) else None
        kind = word_of(rules.get("type") if rules else value) or "string"
        default = rules.get("default") if rules else None
        inputs[name] = Input(
            name=name,
            type=kind,
            span=value.span,
            has_default=default is not None,
            default=default,
            description=text_of(rules.get("description")) if rules else None,
            secret=kind == "secure_string" or (flag_of(rules.get("secret")) if rules else False),
            node=rules,
        )
    return inputs


def parse_credentials(node: AnyNode | None) -> tuple[dict[str, Credential], list[Later]]:
    """``credentials``, and the sources of secrets among them that this version does not read."""
    credentials, later = {}, []
    for name, value in entries_of(node).items():
        parts = entries_of(value)
        username = parts.get("username")
        sources = {}
        for key in ("password", "private_key", "passphrase", "certificate"):
            source = _source(parts.get(key))
            sources[key] = source
            if source is not None and source.kind in SECRET_SOURCES:
                later.append(Later(source.kind, source.span))
        credentials[name] = Credential(
            name=name,
            span=value.span,
            username=text_of(username) if isinstance(username, Scalar) else _source(username),
            agent=flag_of(parts.get("agent")),
            throttle=throttle_of(parts.get("throttle")),
            **sources,
        )
    return credentials, later


def _source(node: AnyNode | None) -> SecretSource | None:
    entries = list(node.entries.items()) if isinstance(node, Mapping) else []
    if len(entries) != 1:
        return None
    kind, (key, value) = entries[0]
    return SecretSource(kind, value, key.span)


def parse_targets(node: AnyNode | None, problems: Problems) -> tuple[dict[str, Target], list[Later]]:
    """``targets``, and what among their keys this version does not act on."""
    targets: dict[str, Target] = {}
    later: list[Later] = []
    for name, value in entries_of(node).items():
        if not isinstance(value, Mapping):
            continue
        later += later_keys(value, TARGET_KEYS)
        entries = entries_of(value)
        kind = next((k for k in (*TARGET_KINDS, *_KIND_ALIASES) if k in entries), "hosts")
        who = entries.get(kind)
        if kind == "hosts" and who is not None and not isinstance(who, Mapping):
            check_pattern(who, problems)
        targets[name] = Target(
            name=name,
            kind=_KIND_ALIASES.get(kind, kind),
            who=who,
            node=value,
            span=value.span,
            connection=connection_of(value, problems),
            throttle=throttle_of(entries.get("throttle")),
        )
    return targets, later


def connection_of(node: AnyNode | None, problems: Problems) -> dict[str, AnyNode]:
    """The connection keys of a target, of ``connection:`` or of an entry of ``ssh_connections``, aliases resolved."""
    connection = {
        _CONNECTION_ALIASES.get(key, key): value
        for key, value in entries_of(node).items()
        if key not in _NOT_CONNECTION
    }
    for key in ("key_file_path", "known_hosts", "user_name"):
        value = connection.get(key)
        if isinstance(value, Scalar):
            check_path(value, problems)
    return connection


def parse_sessions(node: AnyNode | None) -> dict[str, Session]:
    """``sessions``: each names the target (or targets) it is opened on."""
    sessions = {}
    for name, value in entries_of(node).items():
        parts = entries_of(value)
        sessions[name] = Session(
            name=name,
            targets=tuple(target.text for target in scalars_of(parts.get("target"))),
            span=value.span,
            display_name=parts.get("name"),
            throttle=throttle_of(parts.get("throttle")),
            idle_close=seconds_of(parts.get("idle_close")),
            reset=word_of(parts.get("reset")) or "never",
            on_loss=word_of(parts.get("on_loss")) or "fail",
        )
    return sessions


def parse_pools(node: AnyNode | None) -> dict[str, Pool]:
    """``pools``: a number of tokens, or a mapping with ``throttle``; one without a limit limits nothing and is none."""
    pools: dict[str, Pool] = {}
    if not isinstance(node, Mapping):
        return pools
    for name, (key, value) in node.entries.items():
        parts = entries_of(value)
        size = throttle_of(parts.get("throttle") if parts else value)
        if size:
            pools[name] = Pool(name, size, key.span, adaptive=flag_of(parts.get("adaptive")))
    return pools


def parse_pool_uses(node: AnyNode | None) -> tuple[PoolUse, ...]:
    """``pool``: the names with the tokens taken of each, 1 where nothing is said."""
    if isinstance(node, Mapping):
        return tuple(
            PoolUse(name, value.value, key.span)
            for name, (key, value) in node.entries.items()
            if isinstance(value, Scalar) and isinstance(value.value, int) and value.value >= 1
        )
    name = text_of(node)
    return (PoolUse(name, 1, node.span),) if name is not None and node is not None else ()


def parse_deadlines(node: AnyNode | None) -> Deadlines:
    """``deadlines``: durations by what they limit."""
    parts = entries_of(node)
    return Deadlines(**{each.name: seconds_of(parts.get(each.name)) for each in fields(Deadlines)})


def parse_variables(node: AnyNode | None, problems: Problems) -> dict[str, AnyNode]:
    """``vars``: names with values that may hold templates."""
    if node is not None:
        check_variable_words(node, problems)
    return entries_of(node)


def scalars_by_name(node: AnyNode | None) -> Iterator[tuple[str, Scalar]]:
    """The entries of a mapping whose values are scalars (``scripts``)."""
    for name, value in entries_of(node).items():
        if isinstance(value, Scalar):
            yield name, value
