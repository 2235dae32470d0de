"""Values of control keys that a schema cannot judge: no templates, ranges that begin before they end, words."""

from __future__ import annotations

from collections.abc import Iterator

from runner.document.nodes import AnyNode, Mapping
from runner.playbook.computed import ORDERED, status_range
from runner.playbook.model import Playbook
from runner.playbook.read import entries_of, is_template, items_of, scalars_of, seconds_of, text_of
from runner.problems import Problems, did_you_mean

ORDERS = ("inventory", "name", "reverse", "shuffle")
_ANSIBLE_ORDERS = {"sorted": "name", "reverse_inventory": "reverse", "reverse_sorted": "reverse"}

_STEP_KEYS = ("run_once", "template")


def check_values(playbook: Playbook, problems: Problems) -> None:
    """Note values that cannot be, each at its place."""
    for section, keys in _sections(playbook):
        for key in keys:
            for value in items_of(section.get(key)):
                if is_template(value):
                    problems.error(
                        "template-not-here",
                        f"`{key}` cannot be a template: it is read before any variable is known",
                        value.span,
                        "write the value itself",
                    )
    for node in _holders(playbook):
        _check_order(node.get("order_by"), problems)
        _check_sizes(node.get("waves"), problems)
        _check_durations(node, problems)
    for step in playbook.steps:
        _check_statuses(step.node, problems)


def _holders(playbook: Playbook) -> Iterator[Mapping]:
    """Whatever control keys stand in: ``defaults``, steps and blocks."""
    root = playbook.document.root
    defaults = root.get("defaults") if isinstance(root, Mapping) else None
    if isinstance(defaults, Mapping):
        yield defaults
    yield from (block.node for block in playbook.blocks.values())
    yield from (step.node for step in playbook.steps)


def _sections(playbook: Playbook) -> Iterator[tuple[Mapping, tuple[str, ...]]]:
    """The mappings with those of their keys that are needed before any host or variable is known."""
    root = playbook.document.root
    if isinstance(root, Mapping):
        sections: list[tuple[AnyNode, tuple[str, ...]]] = [
            *((target.node, ("throttle",)) for target in playbook.targets.values() if target.node),
            *((node, ("throttle", "idle_close")) for node in entries_of(root.get("sessions")).values()),
            *((node, ("throttle", "agent")) for node in entries_of(root.get("credentials")).values()),
            *((node, ("adaptive",)) for node in entries_of(root.get("pools")).values()),
        ]
        yield from ((node, keys) for node, keys in sections if isinstance(node, Mapping))
    for node in _holders(playbook):
        yield node, _STEP_KEYS
        yield from ((wave, ("max_fail", "pause")) for wave in _waves(node.get("waves")))


def _waves(node: AnyNode | None) -> Iterator[Mapping]:
    yield from (wave for wave in items_of(node) if isinstance(wave, Mapping))


def _check_order(node: AnyNode | None, problems: Problems) -> None:
    """A lone word that is nearly one of the orders is a slip; any other one is an expression."""
    text = text_of(node)
    if node is None or text is None or not text.isidentifier() or text.lower() in ORDERS:
        return
    near = _ANSIBLE_ORDERS.get(text.lower()) or did_you_mean(text, ORDERS)
    if near is not None:
        known = ", ".join(f"`{word}`" for word in ORDERS)
        problems.error(
            "wrong-value",
            f"`order_by` takes {known} or an expression: `{text}`",
            node.span,
            f"write `{near}`",
            f"for a variable of that name write `order_by: '{{{{ {text} }}}}'`",
        )


def _check_sizes(node: AnyNode | None, problems: Problems) -> None:
    for wave in items_of(node):
        size = wave.get("size") if isinstance(wave, Mapping) else wave
        text = (text_of(size) or "").strip()
        if size is None or not (text.endswith("%") or text.lstrip("-").isdecimal()):
            continue
        number = text.rstrip("%").strip()
        limit = 100.0 if text.endswith("%") else float("inf")
        if not number.replace(".", "", 1).isdecimal() or not 0 < float(number) <= limit:
            problems.error(
                "wrong-value",
                f"a wave is a number from 1, a percent up to `100%` or a pattern: `{text}`",
                size.span,
                "write `1` for one host, or `100%` for all that are left",
            )


def _check_durations(node: Mapping, problems: Problems) -> None:
    """Times that stand beside each other: the one cannot be over before the other has begun."""
    for key, first, second in ORDERED:
        inner = node.get(key)
        if not isinstance(inner, Mapping):
            continue
        begins, ends = inner.get(first), inner.get(second)
        begin, end = seconds_of(begins), seconds_of(ends)
        if ends is not None and begin is not None and end is not None and end < begin:
            words = f"`{key}.{second}` is shorter than `{first}`"
            problems.error(
                "wrong-value", f"{words}: `{text_of(ends)}`", ends.span, f"`{first}` is {text_of(begins)}"
            )
    inner = node.get("wait_for")
    interval = inner.get("interval") if isinstance(inner, Mapping) else None
    if interval is not None and seconds_of(interval) == 0:
        words = "`wait_for.interval` must be longer than nothing"
        problems.error("wrong-value", words, interval.span, "write `1s`")


def _check_statuses(node: Mapping, problems: Problems) -> None:
    for key in ("http", "wait_for"):
        inner = node.get(key)
        for status in scalars_of(inner.get("status") if isinstance(inner, Mapping) else None):
            found = status_range(status.text)
            if found is not None and found[0] > found[1]:
                words = f"`{key}.status` is a range that ends before it begins: `{status.text}`"
                problems.error("wrong-value", words, status.span, f"write `{found[1]}-{found[0]}`")
