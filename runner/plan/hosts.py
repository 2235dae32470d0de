"""Who: the hosts a target, a session or a step names, in inventory order, with what is written beside their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.document.nodes import AnyNode, Scalar
from runner.document.nodes import Mapping as MappingNode
from runner.document.reader import INVENTORY_LIMIT, read_source, written_path
from runner.inventory.inventory import Inventory
from runner.inventory.patterns import select
from runner.playbook.model import Target
from runner.playbook.parse import connection_of
from runner.playbook.read import items_of, text_of
from runner.problems import Problems
from runner.values import Span

LOCALHOST = "localhost"
_GROUPS_OF_EVERY_INVENTORY = frozenset({"all", "ungrouped"})  # never meant as the name of a host
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SSH_NAME = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]]+\]|[^@:\s]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host as a target names it; ``connection`` is what stands beside the name (``ssh_connections``).

    ``uri`` is what a ``connection_uri`` says, None for everything else.
    """

    name: str
    span: Span
    address: str | None = None
    connection: Mapping[str, AnyNode | str | int] = field(default_factory=dict)
    uri: str | None = None


def local_host(span: Span) -> NamedHost:
    """The controller itself."""
    return NamedHost(LOCALHOST, span, connection={"transport": "local"})


def hosts_of_target(
    target: Target, inventory: Inventory | None, directory: Path, problems: Problems
) -> list[NamedHost]:
    """The hosts of a target; kinds without a transport yet give what was written, for the refusal by name."""
    who = target.who
    if target.kind == "local":
        return [local_host(target.span)]
    if target.kind == "hosts":
        return hosts_of_pattern(who, inventory, directory, problems) if who is not None else []
    if target.kind == "ssh_connections":
        hosts = [ssh_connection(item, problems) for item in items_of(who)]
        return [host for host in hosts if host is not None]
    written = [item for item in items_of(who) if isinstance(item, Scalar)]
    if target.kind == "connection_uri":
        return [NamedHost(_authority(item.text), item.span, uri=item.text) for item in written]
    return [NamedHost(item.text, item.span) for item in written]


def hosts_of_pattern(
    who: AnyNode, inventory: Inventory | None, directory: Path, problems: Problems
) -> list[NamedHost]:
    """``hosts``: a pattern, a list of names or patterns, or ``{file: ...}`` with a name a line.

    Without an inventory, names written out stand for themselves; with one they must be in it.
    """
    if isinstance(who, MappingNode):
        return _hosts_of_file(who, directory, problems)
    parts = [item for item in items_of(who) if isinstance(item, Scalar) and item.value is not None]
    if not parts:
        return []
    if inventory is None:
        return _written_hosts(parts, problems)
    texts = [part.text for part in parts]
    names = select(inventory, texts, problems, [part.span for part in parts], directory=directory)
    return [
        local_host(parts[0].span)
        if name == LOCALHOST and name not in inventory.hosts
        else NamedHost(name, parts[0].span)
        for name in names
    ]


def _written_hosts(parts: list[Scalar], problems: Problems) -> list[NamedHost]:
    hosts = []
    for part in parts:
        for name in re.split(r"[,\s]+", part.text):
            if _PLAIN_NAME.fullmatch(name) and name not in _GROUPS_OF_EVERY_INVENTORY:
                hosts.append(local_host(part.span) if name == LOCALHOST else NamedHost(name, part.span))
            elif name:
                problems.error(
                    "pattern-without-inventory",
                    f"the pattern `{part.text}` needs an inventory, and none is given",
                    part.span,
                    "give one with `-i inventories/...`",
                )
                break
    return hosts


def _hosts_of_file(who: MappingNode, directory: Path, problems: Problems) -> list[NamedHost]:
    named = who.get("file")
    if not isinstance(named, Scalar):
        return []
    source = read_source(
        directory / written_path(named.text), problems, limit=INVENTORY_LIMIT, span=named.span
    )
    hosts = []
    for number, line in enumerate(source.text.splitlines() if source else (), 1):
        name = line.split("#", 1)[0].strip()
        if not name:
            continue
        span = Span(str(named.text), number, 1, number, len(line) + 1)
        if _PLAIN_NAME.fullmatch(name):
            hosts.append(NamedHost(name, span))
        else:
            problems.error("host-name", f"this is no host name: `{name}`", span, "write one name a line")
    return hosts


def ssh_connection(node: AnyNode, problems: Problems) -> NamedHost | None:
    """An entry of ``ssh_connections``: a mapping, or ``user@host:port``."""
    beside = dict(connection_of(node, problems)) if isinstance(node, MappingNode) else {}
    host, name = beside.pop("host_name", None), beside.pop("name", None)
    written = text_of(host if isinstance(node, MappingNode) else node)
    named = parse_ssh_name(written or "", node.span)
    if named is None:
        if written:
            words = f"expected `host`, `user@host` or `user@host:port`: `{written}`"
            problems.error("host-name", words, node.span)
        return None
    return replace(named, name=text_of(name) or named.name, connection={**named.connection, **beside})


def parse_ssh_name(written: str, span: Span) -> NamedHost | None:
    """``host``, ``user@host``, ``user@host:port``, IPv6 in brackets where a port follows; None for anything else."""
    match = _SSH_NAME.fullmatch(written)
    if match is None:
        return None
    connection: dict[str, AnyNode | str | int] = {"transport": "ssh"}
    if match["user"]:
        connection["user_name"] = match["user"]
    if match["port"]:
        connection["port"] = int(match["port"])
    address = match["host"].strip("[]")
    return NamedHost(address, span, address, connection)


def _authority(uri: str) -> str:
    """The URI authority, which the run knows the host by; never what may be a password before an ``@``."""
    return re.split(r"[/?#]", uri.split("://", 1)[-1], maxsplit=1)[0].rpartition("@")[2]
