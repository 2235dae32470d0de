"""Holds a document against its JSON Schema and the rules between keys that a schema says badly.

Every mistake is one problem, at that mistake, in the author's words. Nothing is changed and nothing is returned but
the nodes that are wrong, so that later stages need not speak of them again.
"""

from __future__ import annotations

from runner.document.nodes import AnyNode, Document, Mapping, PlainValue, Scalar, Sequence, to_plain
from runner.document.parameter_sets import check_connections, check_rules
from runner.document.schema_errors import SchemaErrors
from runner.document.schema_validator import findings
from runner.problems import Problems


def check_playbook(document: Document, problems: Problems) -> frozenset[int]:
    """Check a playbook; gives ``id(node)`` of every node that has a problem (none where there is no tree)."""
    return _check("playbook", document, problems)


def check_steps_file(document: Document, problems: Problems) -> frozenset[int]:
    """Check a file that ``include`` names: a list of steps, or a mapping ``{version, steps}``."""
    return _check("steps", document, problems)


def check_inventory(document: Document, problems: Problems) -> frozenset[int]:
    """Check an inventory in its native form; 50,000 hosts that say little cost well under a second."""
    return _check("inventory", document, problems)


def _check(schema: str, document: Document, problems: Problems) -> frozenset[int]:
    root = document.root
    if root is None:
        return frozenset()
    errors = SchemaErrors(schema, root, problems)
    plain = _without_plain_hosts(root) if schema == "inventory" else to_plain(root)
    errors.note_all(findings(schema, plain))
    noted = frozenset(errors.noted)
    if schema == "inventory":
        return noted | check_connections(root, problems, noted)
    return noted | check_rules(root, problems, noted)


def _without_plain_hosts(root: AnyNode) -> PlainValue:
    """An inventory's plain values without the hosts that are right at a glance.

    jsonschema needs some 50 us a host; the glance needs less than one, and finds the same (a property test holds that).
    """
    if not isinstance(root, Mapping):
        return to_plain(root)
    plain: dict[str, PlainValue] = {}
    for key, value in root.items():
        if key == "hosts":
            plain[key] = _hosts(value)
        elif key == "groups" and isinstance(value, Mapping):
            plain[key] = {name: _group(group) for name, group in value.items()}
        else:
            plain[key] = to_plain(value)
    return plain


def _group(group: AnyNode) -> PlainValue:
    if not isinstance(group, Mapping):
        return to_plain(group)
    return {key: _hosts(value) if key == "hosts" else to_plain(value) for key, value in group.items()}


def _hosts(hosts: AnyNode) -> PlainValue:
    if not isinstance(hosts, Mapping):
        return to_plain(hosts)
    return {name: to_plain(host) for name, host in hosts.items() if not _is_plain_host(host)}


def _is_plain_host(host: AnyNode) -> bool:
    """Null, ``{}``, or a mapping of nothing but variables and an address that is text."""
    if isinstance(host, Scalar):
        return host.value is None
    if isinstance(host, Sequence):
        return False
    for key, (_, value) in host.entries.items():
        if key == "vars":
            if not isinstance(value, Mapping):
                return False
        elif key != "address" or not (isinstance(value, Scalar) and isinstance(value.value, str)):
            return False
    return True
