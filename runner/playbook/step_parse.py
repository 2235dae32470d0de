"""One step of a playbook, from its node to the model; the playbook's ``defaults`` fill what it leaves out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence, Source
from runner.document.reader import written_path
from runner.document.traps import check_path, check_pattern, check_script_style
from runner.playbook.bodies import (
    AssertBody,
    Body,
    CommandBody,
    CommandItem,
    CopyBody,
    FetchBody,
    LaterBody,
    ScriptBody,
    ScriptText,
)
from runner.playbook.control import Loop, Need, RunIf, Wait
from runner.playbook.later import BODIES, STEP_KEYS, TARGET_KEYS, later_keys
from runner.playbook.model import OutputFormat, Step
from runner.playbook.parse import connection_of
from runner.playbook.read import (
    COMPUTED_KEYS,
    Entries,
    bytes_of,
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
from runner.problems import Problems, suggestion
from runner.using.model import Shell
from runner.values import Span

WHO_KEYS = ("target", "session", "hosts")
_Word = TypeVar("_Word", bound=StrEnum)
_Default = TypeVar("_Default")
_PATHS = ("src", "dest")
_BODY_KEYS = ("script", "file", "command", "copy", "fetch", "assert")


@dataclass(frozen=True, slots=True)
class StepContext:
    """What parsing a step needs from around it.

    ``read`` reads a script file once (path as shown, place to blame) and notes problems itself; ``directory`` is where
    relative paths start: the folder of the file that holds the step.
    """

    problems: Problems
    directory: Path
    read: Callable[[Path, Scalar], Source | None]
    scripts: MappingABC[str, Scalar]
    defaults: Entries = field(default_factory=dict)


def parse_step(node: Mapping, number: int, context: StepContext) -> Step:
    """The step that ``node`` says; ``number`` counts from 1 and names a step that has neither id nor name."""
    own = entries_of(node)
    defaults = context.defaults
    if any(key in own for key in WHO_KEYS):
        defaults = {key: value for key, value in defaults.items() if key not in WHO_KEYS}
    entries = {**defaults, **own}
    hosts = entries.get("hosts")
    if hosts is not None:
        check_pattern(hosts, context.problems)
    _check_paths(own, context.problems)
    return Step(
        id=text_of(own.get("id")) or _made_id(text_of(own.get("name")), number),
        span=(own.get("id") or own.get("name") or node).span,
        node=node,
        body=_body(node, own, context),
        name=own.get("name"),
        description=text_of(own.get("description")),
        targets=scalars_of(entries.get("target")),
        sessions=scalars_of(entries.get("session")),
        hosts=hosts,
        connection=connection_of(entries.get("connection"), context.problems),
        shell=_shell(entries.get("shell")),
        needs=_needs(own.get("needs")),
        run_if=_member(RunIf, entries.get("run_if"), RunIf.SUCCESS),
        when=scalars_of(entries.get("when")),
        loop=_loop(entries.get("loop")),
        tags=frozenset(tag.text for tag in scalars_of(entries.get("tags"))),
        args=entries.get("args"),
        parameters=entries.get("parameters"),
        input_object=entries.get("input_object"),
        using={**entries_of(defaults.get("using")), **entries_of(own.get("using"))},
        variables={**entries_of(defaults.get("vars")), **entries_of(own.get("vars"))},
        environment=entries.get("environment"),
        working_directory=entries.get("working_directory"),
        template=flag_of(entries.get("template")),
        no_new_scope=flag_of(entries.get("no_new_scope")),
        throttle=throttle_of(entries.get("throttle")),
        timeout=seconds_of(entries.get("timeout")),
        ignore_errors=entries.get("ignore_errors"),
        failed_when=scalars_of(entries.get("failed_when")),
        changed_when=scalars_of(entries.get("changed_when")),
        output=_member(OutputFormat, entries.get("output"), None),
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
        later=(*later_keys(node, STEP_KEYS), *later_keys(own.get("connection"), TARGET_KEYS)),
        computed={key: value for key in COMPUTED_KEYS if is_template(value := entries.get(key))},
    )


def _check_paths(own: Entries, problems: Problems) -> None:
    copied, fetched = entries_of(own.get("copy")), entries_of(own.get("fetch"))
    written = [own.get("working_directory"), *(body.get(key) for body in (copied, fetched) for key in _PATHS)]
    for scalar in (scalar for node in written for scalar in scalars_of(node)):
        check_path(scalar, problems)


def _made_id(name: str | None, number: int) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", (name or "").lower()).strip("_")
    if not words or "{{" in (name or ""):
        return f"step_{number}"
    return f"step_{words}" if words[0].isdigit() else words


def _asked(node: AnyNode | None) -> Span | None:
    """Where a switch is on; a template may turn it on."""
    return node.span if isinstance(node, Scalar) and node.value not in (None, False) else None


def _member(kind: type[_Word], node: AnyNode | None, default: _Default) -> _Word | _Default:
    word = word_of(node)
    return next((member for member in kind if member.value == word), default)


def _shell(node: AnyNode | None) -> Shell | None:
    return _member(Shell, node, None)


def _needs(node: AnyNode | None) -> tuple[Need, ...] | None:
    if node is None:
        return None
    needs = []
    for item in items_of(node):
        if isinstance(item, Mapping):
            step = item.get("step")
            wait = _member(Wait, item.get("wait"), Wait.AUTO)
        else:
            step, wait = item, Wait.AUTO
        text = text_of(step)
        if text is not None and step is not None:
            needs.append(Need(text, wait, step.span))
    return tuple(needs)


def _loop(node: AnyNode | None) -> Loop | None:
    if node is None:
        return None
    if isinstance(node, Mapping):
        over = node.get("over")
        return Loop(over, throttle_of(node.get("throttle"))) if over is not None else None
    return Loop(node)


def _body(node: Mapping, own: Entries, context: StepContext) -> Body:
    for key in BODIES:
        if key in own:
            return LaterBody(key, node.key(key).span)
    key = next((key for key in _BODY_KEYS if key in own), "")
    value = own.get(key)
    match key:
        case _ if value is None:
            return ScriptBody(())
        case "script":
            return ScriptBody(tuple(_scripts(value, context)))
        case "file":
            return ScriptBody(tuple(_script_file(value, context)), from_file=True)
        case "command":
            return _command(value, own)
        case "assert":
            parts = value if isinstance(value, Mapping) else None
            return AssertBody(
                scalars_of(parts.get("that") if parts else value), parts.get("message") if parts else None
            )
        case "copy" if isinstance(value, Mapping):
            return _copy(value)
        case "fetch" if isinstance(value, Mapping):
            return _fetch(value)
    return ScriptBody(())


def _scripts(value: AnyNode, context: StepContext, shell: Shell | None = None) -> list[ScriptText]:
    if isinstance(value, Scalar):
        check_script_style(value, context.problems, key="script")
        return [_script(value, shell)] if value.value is not None else []
    if isinstance(value, Sequence):
        return []
    reference = value.get("ref")
    if reference is None:
        found = []
        for key, part in value.items():
            named = next((s for s in Shell if s.value == key.lower()), None)
            if named is None:
                return []  # the schema check tells it
            found += _scripts(part, context, named)
        return found
    name = text_of(reference) or ""
    script = context.scripts.get(name)
    if script is None:
        context.problems.error(
            "unknown-script",
            f"no script is named `{name}`",
            reference.span,
            *suggestion(name, context.scripts),
        )
        return []
    return [_script(script, shell)]


def _script(scalar: Scalar, shell: Shell | None) -> ScriptText:
    return ScriptText(scalar.text, shell, scalar, digest=hashlib.sha256(scalar.text.encode()).hexdigest())


def _script_file(value: AnyNode, context: StepContext) -> list[ScriptText]:
    if not isinstance(value, Scalar) or value.value is None:
        return []
    check_path(value, context.problems)
    if "{{" in value.text:
        context.problems.error(
            "template-not-here",
            "`file` names a file that is read before any host is known, so it cannot be a template",
            value.span,
            "use `script: {sh: ..., powershell: ...}` or several steps with `when`",
        )
        return []
    source = context.read(context.directory / written_path(value.text), value)
    if source is None:
        return []
    return [ScriptText(source.text, None, None, path=source.path, digest=source.digest)]


def _command(value: AnyNode, own: Entries) -> CommandBody:
    if isinstance(value, Scalar):
        return CommandBody((CommandItem(value, own.get("args"), own.get("parameters")),))
    items = []
    for item in items_of(value):
        if isinstance(item, Mapping):
            name = item.get("name") or item.get("command")
            if name is not None:
                items.append(CommandItem(name, item.get("args"), item.get("parameters")))
        else:
            items.append(CommandItem(item))
    return CommandBody(tuple(items))


def _copy(value: Mapping) -> Body:
    destination = value.get("dest")
    if destination is None:
        return ScriptBody(())
    return CopyBody(
        node=value,
        source=value.get("src"),
        content=value.get("content"),
        destination=destination,
        owner=value.get("owner"),
        group=value.get("group"),
        mode=value.get("mode"),
        backup=flag_of(value.get("backup")),
        validate=value.get("validate"),
    )


def _fetch(value: Mapping) -> Body:
    source, destination = value.get("src"), value.get("dest")
    if source is None or destination is None:
        return ScriptBody(())
    return FetchBody(
        node=value,
        source=source,
        destination=destination,
        flat=flag_of(value.get("flat")),
        max_size=bytes_of(value.get("max_size")),
        missing=word_of(value.get("missing")) or "fail",
    )
