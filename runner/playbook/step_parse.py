"""One step or one block of a playbook, from its node to the model; ``defaults`` fill what it leaves out."""

from __future__ import annotations

import re

from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.document.traps import check_path, check_pattern
from runner.playbook import later as put_off
from runner.playbook.body_parse import parse_body
from runner.playbook.computed import STEP_KEYS, templates_in
from runner.playbook.context import StepContext, merged
from runner.playbook.control import Later, Part, RunIf
from runner.playbook.control_parse import (
    member_of,
    parse_condition,
    parse_loop,
    parse_needs,
    parse_quarantine,
    parse_retry,
    parse_tolerance,
    parse_unreachable,
    parse_waves,
)
from runner.playbook.later import TARGET_KEYS, later_keys
from runner.playbook.model import Block, OutputFormat, Step
from runner.playbook.parse import connection_of, parse_pool_uses
from runner.playbook.read import (
    Entries,
    entries_of,
    flag_of,
    scalars_of,
    seconds_of,
    text_of,
    throttle_of,
    word_of,
)
from runner.problems import Problems
from runner.using.model import Shell
from runner.values import Span

_PATHS = ("src", "dest")


def parse_step(node: Mapping, number: int, context: StepContext) -> Step:
    """The step that ``node`` says; ``number`` counts from 1 and names a step that has neither id nor name."""
    own = entries_of(node)
    entries = merged(context.defaults, own)
    hosts = entries.get("hosts")
    if hosts is not None:
        check_pattern(hosts, context.problems)
    _check_paths(own, context.problems)
    connection = {**context.connection, **connection_of(own.get("connection"), context.problems)}
    return Step(
        id=_id(own, number, context),
        span=_named(own, node),
        node=node,
        body=parse_body(node, own, context),
        name=own.get("name"),
        description=text_of(own.get("description")),
        targets=scalars_of(entries.get("target")),
        sessions=scalars_of(entries.get("session")),
        hosts=hosts,
        connection=connection,
        shell=member_of(Shell, entries.get("shell"), None),
        needs=parse_needs(own.get("needs")),
        run_if=member_of(RunIf, entries.get("run_if"), RunIf.SUCCESS),
        when=scalars_of(entries.get("when")),
        loop=parse_loop(entries.get("loop")),
        tags=context.tags | {tag.text for tag in scalars_of(entries.get("tags"))},
        args=entries.get("args"),
        parameters=entries.get("parameters"),
        input_object=entries.get("input_object"),
        using=entries_of(entries.get("using")),
        variables=entries_of(entries.get("vars")),
        environment=entries.get("environment"),
        working_directory=entries.get("working_directory"),
        template=flag_of(entries.get("template")),
        no_new_scope=flag_of(entries.get("no_new_scope")),
        throttle=throttle_of(entries.get("throttle")),
        timeout=seconds_of(entries.get("timeout")),
        ignore_errors=entries.get("ignore_errors"),
        failed_when=scalars_of(entries.get("failed_when")),
        changed_when=scalars_of(entries.get("changed_when")),
        output=member_of(OutputFormat, entries.get("output"), None),
        strict_mode=entries.get("strict_mode"),
        native_exit_code=flag_of(entries.get("native_exit_code")),
        error_action=entries.get("error_action"),
        warning_action=entries.get("warning_action"),
        information_action=entries.get("information_action"),
        verbose=entries.get("verbose"),
        debug=entries.get("debug"),
        stop=word_of(entries.get("stop")) or "pipeline",
        remote_debug=_asked(entries.get("remote_debug")),
        register=text_of(entries.get("register")),
        hide_computer_name=flag_of(entries.get("hide_computer_name")),
        place=context.place,
        run_once=flag_of(entries.get("run_once")),
        delegate_to=entries.get("delegate_to"),
        order_by=_scalar(entries.get("order_by")),
        read_only=flag_of(entries.get("read_only")),
        until=scalars_of(entries.get("until")),
        retry=parse_retry(entries.get("retry"), context.problems),
        pools=parse_pool_uses(entries.get("pool")),
        waves=parse_waves(entries.get("waves")),
        health=parse_condition(entries.get("health"), context),
        max_fail=parse_tolerance(entries.get("max_fail")),
        max_unreachable=parse_tolerance(entries.get("max_unreachable")),
        any_errors=entries.get("any_errors") is not None,
        unreachable=parse_unreachable(entries.get("unreachable")),
        quarantine=parse_quarantine(entries.get("quarantine")),
        lock=word_of(entries.get("lock")),
        rerun=word_of(entries.get("rerun")) or "ask",
        on_loss=word_of(entries.get("on_loss")),
        later=(*context.later, *_later(node, own)),
        computed=templates_in(entries, STEP_KEYS),
    )


def parse_block(node: Mapping, number: int, context: StepContext) -> Block:
    """The block that ``node`` says; its needs are as written, its steps are for the caller.

    Its throttle is its own alone: that of ``defaults`` is one of steps.
    """
    own = entries_of(node)
    entries = merged(context.defaults, own)
    return Block(
        id=_id(own, number, context),
        span=_named(own, node),
        node=node,
        name=own.get("name"),
        place=context.place,
        needs=parse_needs(own.get("needs")) or (),
        run_if=member_of(RunIf, entries.get("run_if"), RunIf.SUCCESS),
        when=scalars_of(entries.get("when")),
        variables=entries_of(entries.get("vars")),
        throttle=throttle_of(own.get("throttle")),
        order_by=_scalar(entries.get("order_by")),
        waves=parse_waves(entries.get("waves")),
        health=parse_condition(entries.get("health"), context),
        max_fail=parse_tolerance(entries.get("max_fail")),
        max_unreachable=parse_tolerance(entries.get("max_unreachable")),
        any_errors=entries.get("any_errors") is not None,
        rescue_on=word_of(own.get("rescue_on")) or "host",
        has_rescue=Part.RESCUE in own,
        has_always=Part.ALWAYS in own,
        computed={
            **templates_in(entries, (("max_fail",), ("max_unreachable",))),
            **templates_in(own, (("throttle",),)),
        },
    )


def _later(node: Mapping, own: Entries) -> tuple[Later, ...]:
    return (*later_keys(node, put_off.STEP_KEYS), *later_keys(own.get("connection"), TARGET_KEYS))


def _check_paths(own: Entries, problems: Problems) -> None:
    copied, fetched = entries_of(own.get("copy")), entries_of(own.get("fetch"))
    written = [own.get("working_directory"), *(body.get(key) for body in (copied, fetched) for key in _PATHS)]
    for scalar in (scalar for node in written for scalar in scalars_of(node)):
        check_path(scalar, problems)


def _named(own: Entries, node: Mapping) -> Span:
    """Where the thing is named, else where it begins."""
    return (own.get("id") or own.get("name") or node).span


def _id(own: Entries, number: int, context: StepContext) -> str:
    return text_of(own.get("id")) or _made_id(text_of(own.get("name")), number, context.prefix)


def _made_id(name: str | None, number: int, prefix: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", (name or "").lower()).strip("_")
    if not words or "{{" in (name or ""):
        return f"{prefix}{number}"
    return f"{prefix}{words}" if words[0].isdigit() else words


def _scalar(node: AnyNode | None) -> Scalar | None:
    return node if isinstance(node, Scalar) and node.value is not None else None


def _asked(node: AnyNode | None) -> Span | None:
    """Where a switch is on; a template may turn it on."""
    return node.span if isinstance(node, Scalar) and node.value not in (None, False) else None
