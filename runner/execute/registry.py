"""What steps registered: a host's own result under its name, and ``results.NAME`` as a mapping of hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from runner.engine.result import Result
from runner.variables.scope import Layer, Variable

View = dict[str, Any]


def view(result: Result) -> View:
    """A result as templates and ``$Using:`` read it (language.md, "Results")."""
    seen: View = {
        "status": str(result.status),
        "changed": result.changed,
        "output": result.output,
        "stderr": result.stderr,
        "errors": [asdict(error) for error in result.errors],
        "warnings": list(result.streams.warnings),
        "verbose": list(result.streams.verbose),
        "debug": list(result.streams.debug),
        "information": list(result.streams.information),
        "progress": list(result.streams.progress),
        "exit_code": result.exit_code,
    }
    if result.items:
        seen["results"] = [{**view(item), "item": item.item} for item in result.items]
    return seen


class Registry:
    """Registered results of a run. ``hosts`` gives the order in which ``results.NAME`` lists them."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._order = {host: number for number, host in enumerate(hosts)}
        self._views: dict[str, dict[str, View]] = {}
        self._layers: dict[str, dict[str, Variable]] = {}
        self._sorted: dict[str, Mapping[str, View]] = {}

    def register(self, name: str, step: str, result: Result) -> None:
        """Keep a host's result under ``name``."""
        seen = view(result)
        self._views.setdefault(name, {})[result.host] = seen
        self._layers.setdefault(result.host, {})[name] = Variable(seen, f"registered by step `{step}`")
        self._sorted.pop(name, None)

    def layer(self, host: str) -> Layer:
        """The host's own results, as variables."""
        return self._layers.get(host, {})

    def results(self) -> Mapping[str, Mapping[str, View]]:
        """All results by name, then by host in inventory order; sorted once for all its readers."""
        for name in self._views.keys() - self._sorted.keys():
            hosts = sorted(self._views[name], key=lambda host: self._order.get(host, len(self._order)))
            self._sorted[name] = {host: self._views[name][host] for host in hosts}
        return self._sorted
