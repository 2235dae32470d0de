"""The scope of one step on one host: what the plan decided, and above it what the run brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.document.nodes import AnyNode
from runner.variables.scope import Scope, Variable


def step_scope(
    base: Scope,
    *,
    results: Mapping[str, Any],
    all_results: Callable[[], Mapping[str, Mapping[str, Any]]],
    variables: Mapping[str, AnyNode],
    using: Mapping[str, AnyNode],
    item: Mapping[str, Any] | None = None,
) -> Scope:
    """Make the scope.

    Args:
        base: the host's plan-time scope.
        results: registered results of this host by name, each a mapping as language.md "Results" says.
        all_results: gives ``results``: registered name to host to result; asked for only where it is read.
        variables: the step's ``vars``.
        using: the step's ``using``.
        item: ``item`` and ``loop`` inside a loop.

    """
    layers = (
        {name: Variable(value, f"registered result `{name}`") for name, value in results.items()},
        {name: Variable(node, "step vars", node.span) for name, node in variables.items()},
        {name: Variable(value, "loop") for name, value in (item or {}).items()},
        {name: Variable(node, "using", node.span) for name, node in using.items()},
    )
    return base.child([layer for layer in layers if layer], {"results": all_results})


def with_result(scope: Scope, result: Mapping[str, Any]) -> Scope:
    """The scope of ``failed_when`` and ``changed_when``: ``result`` is the step's own."""
    return scope.child([], {"result": lambda: result})
