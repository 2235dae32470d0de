"""The control keys of steps, blocks and playbooks, from nodes to the values of :mod:`runner.playbook.control`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

from runner.codes import code_pages
from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.playbook.bodies import Condition
from runner.playbook.context import StepContext
from runner.playbook.control import Late, Loop, Need, Retry, Tolerance, Wait, Wave
from runner.playbook.read import (
    entries_of,
    flag_of,
    is_template,
    items_of,
    scalars_of,
    seconds_of,
    text_of,
    throttle_of,
    word_of,
)
from runner.playbook.script_parse import parse_scripts
from runner.problems import Problems, suggestion
from runner.using.model import Shell

_Word = TypeVar("_Word", bound=StrEnum)
_Default = TypeVar("_Default")

STATUSES = ("failed", "unreachable", "timed_out")
LATE = Late(retry_after=300.0, give_up_after=3600.0)
"""What a part of ``unreachable: {...}`` is that is left out: long enough for a restart, short enough for a night."""

_ALL = 100
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def member_of(kind: type[_Word], node: AnyNode | None, default: _Default) -> _Word | _Default:
    """The member of an enumeration that a word names, in any case."""
    word = word_of(node)
    return next((member for member in kind if member.value == word), default)


def parse_needs(node: AnyNode | None) -> tuple[Need, ...] | None:
    """``needs``; None where nothing is said."""
    if node is None:
        return None
    needs = []
    for item in items_of(node):
        step = item.get("step") if isinstance(item, Mapping) else item
        wait = member_of(Wait, item.get("wait"), Wait.AUTO) if isinstance(item, Mapping) else Wait.AUTO
        text = text_of(step)
        if text is not None and step is not None:
            needs.append(Need(text, wait, step.span))
    return tuple(needs)


def parse_loop(node: AnyNode | None) -> Loop | None:
    """``loop``: an expression, a list, or a mapping with ``over``."""
    if not isinstance(node, Mapping):
        return None if node is None else Loop(node)
    over = node.get("over")
    if over is None:
        return None
    return Loop(
        over, throttle_of(node.get("throttle")), text_of(node.get("item")), text_of(node.get("index"))
    )


def parse_tolerance(node: AnyNode | None) -> Tolerance | None:
    """A number of hosts, or a percent of them; None where it is neither, or more than all of them."""
    amount = _amount(node)
    return None if amount is not None and amount.percent and amount.amount > _ALL else amount


def _amount(node: AnyNode | None) -> Tolerance | None:
    if not isinstance(node, Scalar) or isinstance(node.value, bool):
        return None
    percent = _PERCENT.fullmatch(node.text.strip())
    if percent:
        return Tolerance(float(percent[1]), percent=True, span=node.span)
    if node.text.strip().isdecimal():
        return Tolerance(float(node.text), percent=False, span=node.span)
    return None


def parse_waves(node: AnyNode | None) -> tuple[Wave, ...]:
    """``waves``: a lone wave is a list of one."""
    return tuple(wave for item in items_of(node) if (wave := _wave(item)) is not None)


def _wave(node: AnyNode) -> Wave | None:
    size = node.get("size") if isinstance(node, Mapping) else node
    if not isinstance(size, Scalar) or size.value is None:
        return None
    rules = entries_of(node)
    amount = _amount(size)
    return Wave(
        span=size.span,
        size=amount,
        pattern=size if amount is None else None,
        max_fail=parse_tolerance(rules.get("max_fail")),
        pause=seconds_of(rules.get("pause")) or 0.0,
    )


def parse_condition(node: AnyNode | None, context: StepContext) -> Condition | None:
    """Expressions, or ``{script, shell}``; None where there is neither."""
    if node is None:
        return None
    if not isinstance(node, Mapping):
        return Condition(expressions=scalars_of(node), span=node.span)
    scripts = parse_scripts(node.get("script"), context)
    if not scripts:
        return None
    return Condition(scripts=scripts, shell=member_of(Shell, node.get("shell"), None), span=node.span)


def parse_unreachable(node: AnyNode | None) -> str | Late:
    """``unreachable``: a word, or when an unreachable host is tried again."""
    if not isinstance(node, Mapping):
        return word_of(node) or "fail"
    after, end = seconds_of(node.get("retry_after")), seconds_of(node.get("give_up_after"))
    return Late(
        LATE.retry_after if after is None else after,
        max(LATE.give_up_after, after or 0.0) if end is None else end,
    )


def parse_quarantine(node: AnyNode | None) -> float | bool:
    """``quarantine``: a switch, or a limit in seconds."""
    seconds = None if isinstance(node, Scalar) and isinstance(node.value, bool) else seconds_of(node)
    return flag_of(node) if seconds is None else seconds


def parse_retry(node: AnyNode | None, problems: Problems) -> Retry | None:
    """``retry``: a number of attempts, or the rules; what ``on`` names that nobody knows is a problem."""
    default = Retry()
    if isinstance(node, Scalar):
        return Retry(attempts=_whole(node, default.attempts)) if node.value is not None else None
    if not isinstance(node, Mapping):
        return None
    parts = entries_of(node)
    statuses, codes, that = _retried(parts.get("on"), problems)
    delay = seconds_of(parts.get("delay"))
    return Retry(
        attempts=_whole(parts.get("attempts"), default.attempts),
        delay=default.delay if delay is None else delay,
        backoff=_number(parts.get("backoff"), default.backoff),
        jitter=_number(parts.get("jitter"), default.jitter),
        max_delay=seconds_of(parts.get("max_delay")),
        statuses=statuses if "on" in parts else default.statuses,
        codes=codes,
        that=that,
    )


def _whole(node: AnyNode | None, default: int) -> int:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else default


def _number(node: AnyNode | None, default: float) -> float:
    value = node.value if isinstance(node, Scalar) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _retried(
    node: AnyNode | None, problems: Problems
) -> tuple[frozenset[str], frozenset[str], tuple[Scalar, ...]]:
    """The statuses, the failure codes and the expressions of ``retry.on``."""
    statuses, codes, that = set(), set(), []
    for item in scalars_of(node):
        word = item.text.strip().lower()
        if word.replace("-", "_") in STATUSES:
            statuses.add(word.replace("-", "_"))
        elif _CODE.fullmatch(word):
            codes.add(word)
            _check_code(item, word, problems)
        elif _IDENTIFIER.fullmatch(word) and not is_template(item) and item.is_text:
            problems.error(
                "wrong-value",
                f"`retry.on` takes statuses, failure codes and expressions: `{item.text}`",
                item.span,
                *suggestion(word, STATUSES),
            )
        else:
            that.append(item)
    return frozenset(statuses), frozenset(codes), tuple(that)


def _check_code(item: Scalar, word: str, problems: Problems) -> None:
    if word not in code_pages():
        problems.error(
            "unknown-failure-code",
            f"no failure has the code `{word}`",
            item.span,
            *suggestion(word, code_pages()),
            "docs/reference/errors/ lists them, and a failed host is told with its code",
        )
