"""``order_by``: in which order the hosts of a step or a block start."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from runner.document.nodes import Scalar
from runner.errors import RunnerError
from runner.inventory.inventory import Inventory
from runner.problems import Problems
from runner.variables.scope import HostScopes

WORDS = ("inventory", "name", "reverse", "shuffle", "group")
"""Those that are no expression."""


class HostOrder:
    """Sorts names of hosts; equal ones stay as they stood.

    ``seed`` is what ``shuffle`` goes by. ``lenient``: no inventory is given, and what it might say is not asked for.
    """

    def __init__(
        self,
        inventory: Inventory | None,
        scopes: HostScopes,
        seed: int,
        problems: Problems,
        *,
        lenient: bool = False,
    ) -> None:
        self._inventory = inventory
        self._scopes = scopes
        self._seed = seed
        self._problems = problems
        self._lenient = lenient
        self._numbers = {name: n for n, name in enumerate(inventory.hosts)} if inventory is not None else {}
        self._groups = {name: n for n, name in enumerate(inventory.groups)} if inventory is not None else {}

    def inventory(self, hosts: Sequence[str]) -> list[str]:
        """Inventory order; hosts that are not in it come last."""
        return sorted(hosts, key=lambda host: self._numbers.get(host, len(self._numbers)))

    def sort(self, hosts: Sequence[str], order_by: Scalar | None) -> list[str]:
        """The hosts in the order that is asked for; an expression that gives no order is noted and changes nothing."""
        word = order_by.text.strip().lower() if order_by is not None else ""
        if order_by is None or word == "":
            return list(hosts)
        match word:
            case "inventory":
                return self.inventory(hosts)
            case "name":
                return sorted(hosts)
            case "reverse":
                return list(reversed(hosts))
            case "shuffle":
                return sorted(hosts, key=lambda host: _shuffled(self._seed, host))
            case "group":
                return sorted(hosts, key=self._group)
        return list(hosts) if self._lenient else self._by_value(hosts, order_by)

    def _group(self, host: str) -> int:
        """The first of the groups that list the host itself, as the inventory has them in order."""
        direct = self._inventory.direct_groups(host) if self._inventory is not None else ()
        return min((self._groups.get(name, len(self._groups)) for name in direct), default=len(self._groups))

    def _by_value(self, hosts: Sequence[str], order_by: Scalar) -> list[str]:
        values: dict[str, Any] = {}
        for host in hosts:
            try:
                values[host] = self._scopes.of(host).evaluate(order_by)
            except RunnerError as error:
                self._tell(order_by, host, error)
                return list(hosts)
        kinds: Mapping[object, str] = {_kind(value): host for host, value in values.items()}
        if len(kinds) > 1:
            (one, first), (other, second) = list(kinds.items())[:2]
            self._problems.error(
                "order-value",
                f"`order_by` gives {_words(one)} for host `{first}` and {_words(other)} for host `{second}`,"
                " which have no order",
                order_by.span,
                "make one kind of value of it, for example with `| int` or `| string`",
            )
            return list(hosts)
        if None in kinds:
            value = values[hosts[0]]
            what = "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "null"
            words = f"`order_by` gives {what} for host `{hosts[0]}`, which has no order"
            self._problems.error("order-value", words, order_by.span, "make a number or a text of it")
            return list(hosts)
        return sorted(hosts, key=lambda host: values[host])

    def _tell(self, order_by: Scalar, host: str, error: RunnerError) -> None:
        for problem in error.problems:
            self._problems.error(
                "order-value",
                f"`order_by` has no value for host `{host}`: {problem.message}",
                order_by.span,
                "what the inventory, the playbook and inputs say is known here, results are not",
                f"or one of the words {', '.join(f'`{word}`' for word in WORDS)}",
            )


def _shuffled(seed: int, host: str) -> bytes:
    """The same place for the same seed on every machine and in every version of Python."""
    return hashlib.sha256(f"{seed}\0{host}".encode()).digest()


def _kind(value: object) -> object:
    """What values can be compared with each other; None for what has no order."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, Real):
        return Real
    return type(value) if isinstance(value, str) or hasattr(value, "isoformat") else None


def _words(kind: object) -> str:
    if kind is None:
        return "no number, text or date"
    return (
        "a boolean" if kind is bool else "a number" if kind is Real else "a text" if kind is str else "a date"
    )
