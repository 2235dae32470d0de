"""Keys that a target or a step says about its connection and that none of its hosts can take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.document.nodes import AnyNode, Mapping
from runner.document.parameter_sets import KINDS, TRANSPORTS, ParameterSet
from runner.plan.hosts import LOCALHOST
from runner.plan.place import Placed
from runner.playbook.check import LOCAL
from runner.playbook.model import Step
from runner.problems import Problems

_JUDGED = frozenset({"ssh", "winrm"})


def refuse_unfit_keys(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """Note each key that goes with the transport of no host it was said for (remoting.md 3.2).

    Hosts of one target may be reached in different ways, as their inventory says: a key that fits one of them is
    right. Where the transport stands beside the key, the check of the document has told it already. A step without
    any who is this controller, and has no connection to speak of.
    """
    for name, node, items in _said(step, placed):
        sets = [found for found in map(_parameter_set, items) if found is not None]
        if not sets or len(sets) < len(items):
            continue  # hosts that are this controller, or of transports that come later
        for key, (written, _) in node.entries.items():
            if all(key in found.excluded for found in sets):
                words = (
                    f"`{key}` of {name} does not go with {sets[0].transport}, by which {_whom(items)} reached"
                )
                if sets[0].transport == LOCAL:
                    words = f"`{key}` of {name} does not go with a local step: nothing is connected to"
                reason = sets[0].because.get(key)
                words += f": {reason}" if reason else ""
                words += f" (parameter set {sets[0].name})"
                problems.error("excluded-key", words, written.span, f"leave `{key}` out")


def _said(step: Step, placed: Sequence[Placed]) -> Iterator[tuple[str, Mapping, list[Placed]]]:
    """Each mapping of connection keys with the hosts it holds for."""
    targets = {item.target.name: item.target for item in placed if item.target is not None}
    for name, target in targets.items():
        if target.node is not None:
            items = [item for item in placed if item.target is not None and item.target.name == name]
            yield f"target `{name}`", target.node, items
    connection: AnyNode | None = step.node.get("connection")
    if isinstance(connection, Mapping) and placed:
        yield f"`connection` of step `{step.id}`", connection, list(placed)


def _parameter_set(item: Placed) -> ParameterSet | None:
    """The parameter set that a host is reached by; None where its keys are not judged here."""
    transport = item.placement.endpoint.transport
    kind = item.target.kind if item.target is not None else ""
    if transport == LOCAL and (item.target is None or kind == LOCAL) and item.placement.host == LOCALHOST:
        return TRANSPORTS[LOCAL]
    if transport not in _JUDGED:
        return None
    if kind in {"connection_uri", "ssh_connections"}:
        return KINDS[kind]
    found, hosts = TRANSPORTS[transport], KINDS["hosts"]
    return ParameterSet(
        found.name, transport, found.excluded | hosts.excluded, {**hosts.because, **found.because}
    )


def _whom(items: Sequence[Placed]) -> str:
    return f"`{items[0].placement.host}` is" if len(items) == 1 else f"all its {len(items)} hosts are"
