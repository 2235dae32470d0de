"""Rules of a playbook that a schema cannot say and that need no inventory: names exist, words fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingABC
from collections.abc import Set as AbstractSet
from pathlib import PurePath

from runner import __version__
from runner.document.nodes import Mapping, Scalar
from runner.playbook.blocks import blocks_around
from runner.playbook.bodies import CommandBody, LaterBody, ScriptBody
from runner.playbook.model import Block, Playbook, Step
from runner.playbook.preferences import check_preferences
from runner.playbook.read import is_template, text_of
from runner.playbook.requires import check_requires
from runner.problems import Problems, suggestion
from runner.using.model import Shell
from runner.values import Span

RESERVED = frozenset(
    {
        *("results", "inputs", "host", "hosts", "groups", "facts", "item", "loop", "run"),
        *("failure", "secrets", "credentials"),
    }
)
LOCAL = "local"
_UNKNOWN = {
    "credential": "unknown-credential",
    "session": "unknown-session",
    "session option": "unknown-session-option",
    "step": "unknown-step",
    "target": "unknown-target",
}
SUFFIXES = {
    ".ps1": {Shell.POWERSHELL},
    ".sh": {Shell.SH, Shell.BASH},
    ".bash": {Shell.BASH},
    ".py": {Shell.PYTHON},
}

_CMDLET = re.compile(r"[A-Za-z]+-[A-Za-z]\w*")
_PARAMETER = re.compile(r"-[A-Za-z]\w*")


def check_playbook(playbook: Playbook, problems: Problems) -> None:
    """Note every problem that can be seen without an inventory."""
    root = playbook.document.root
    check_requires(root.get("requires") if isinstance(root, Mapping) else None, __version__, problems)
    _check_reserved(playbook, problems)
    _check_ids(playbook, problems)
    _check_registers(playbook.steps, problems)
    for target in playbook.targets.values():
        if target.name == LOCAL:
            problems.error("reserved-name", "`local` is a reserved target: this controller", target.span)
        _check_connection(playbook, target.connection, problems)
    _check_connection(playbook, playbook.default_connection, problems)
    for session in playbook.sessions.values():
        for name in session.targets:
            _known("target", name, {*playbook.targets, LOCAL}, session.span, problems)
    ids = {*(step.id for step in playbook.steps), *playbook.blocks}
    for block in playbook.blocks.values():
        for need in block.needs:
            _known("step", need.step, ids, need.span, problems)
    for step in playbook.steps:
        _check_who(playbook, step, problems)
        for need in step.needs or ():
            _known("step", need.step, ids, need.span, problems)
        _check_body(step, problems)
        check_preferences(step, problems)


def _known(kind: str, name: str, known: Iterable[str], span: Span, problems: Problems) -> None:
    names = set(known)
    if name not in names:
        problems.error(_UNKNOWN[kind], f"no {kind} is named `{name}`", span, *suggestion(name, names))


def _check_reserved(playbook: Playbook, problems: Problems) -> None:
    sections: list[tuple[str, Iterable[tuple[str, Span]]]] = [
        ("variable", ((n, v.span) for n, v in playbook.variables.items())),
        ("input", ((n, i.span) for n, i in playbook.inputs.items())),
        ("variable", ((n, v.span) for s in playbook.steps for n, v in s.variables.items())),
        ("variable", ((n, v.span) for s in playbook.steps for n, v in s.using.items())),
        ("result", ((s.register, _key_span(s, "register")) for s in playbook.steps if s.register)),
    ]
    for kind, entries in sections:
        for name, span in entries:
            if name in RESERVED:
                problems.error(
                    "reserved-name",
                    f"`{name}` is a reserved name and cannot name a {kind}",
                    span,
                    "choose another name",
                )


def _key_span(step: Step, key: str) -> Span:
    node = step.node.get(key)
    return node.span if node is not None else step.span


def _check_ids(playbook: Playbook, problems: Problems) -> None:
    seen: dict[str, Block | Step] = {}
    for each in _in_file_order(playbook):
        first = seen.setdefault(each.id, each)
        if first is not each:
            tell_duplicate(each.id, first.span, each.span, problems)


def _in_file_order(playbook: Playbook) -> Iterator[Block | Step]:
    """All steps, each block before its first one; a block without steps is not among them."""
    entered: set[str] = set()
    for step in playbook.steps:
        around = [block for block in blocks_around(playbook, step) if block.id not in entered]
        entered.update(block.id for block in around)
        yield from around
        yield step


def tell_duplicate(name: str, first: Span, second: Span, problems: Problems) -> None:
    """Note an id that steps or blocks have twice."""
    problems.error(
        "duplicate-step",
        f"two steps have the id `{name}`",
        second,
        f"the first one is at {first}; give one of them another `id`",
    )


def _check_registers(steps: tuple[Step, ...], problems: Problems) -> None:
    seen: dict[str, Step] = {}
    for step in steps:
        if step.register is None:
            continue
        first = seen.setdefault(step.register, step)
        if first is not step:
            problems.error(
                "duplicate-register",
                f"steps `{first.id}` and `{step.id}` register the same name `{step.register}`",
                _key_span(step, "register"),
                "register the second result under a name of its own",
            )


def _check_connection(playbook: Playbook, connection: MappingABC[str, object], problems: Problems) -> None:
    credential = connection.get("credential")
    if isinstance(credential, Scalar) and credential.is_text and not is_template(credential):
        _known("credential", credential.text, playbook.credentials, credential.span, problems)
    option = connection.get("session_option")
    if isinstance(option, Scalar) and option.is_text and not is_template(option):
        _known("session option", option.text, playbook.session_options, option.span, problems)


def _check_who(playbook: Playbook, step: Step, problems: Problems) -> None:
    for target in step.targets:
        _known("target", target.text, {*playbook.targets, LOCAL}, target.span, problems)
    for session in step.sessions:
        is_target = session.text in playbook.targets or session.text == LOCAL
        if is_target and session.text not in playbook.sessions:
            problems.error(
                "unknown-session",
                f"`{session.text}` is a target, not a session",
                session.span,
                f"write `target: {session.text}`, or declare a session on it under `sessions:`",
            )
        else:
            _known("session", session.text, playbook.sessions, session.span, problems)


def _check_body(step: Step, problems: Problems) -> None:
    body = step.body
    if isinstance(body, CommandBody):
        _check_command(body, problems)
    if isinstance(body, ScriptBody) and body.from_file:
        _check_suffix(step, body, problems)
    for key in ("args", "input_object"):
        if step.node.get(key) is not None and not isinstance(body, ScriptBody | CommandBody | LaterBody):
            problems.error(
                "key-without-body",
                f"`{key}` goes with `script`, `file` and `command` only",
                step.node.key(key).span,
            )


def _check_command(body: CommandBody, problems: Problems) -> None:
    for item in body.items:
        text = text_of(item.name)
        if text and len(text.split()) > 1 and "{{" not in text and not text.startswith(("/", "C:", "c:")):
            program, *arguments = text.split()
            problems.error(
                "command-blanks",
                f"a command's name has no blanks: `{text}`",
                item.name.span,
                f"write `command: {program}` with {_parted(program, arguments)}",
                "or use `script:` to have a shell read the line",
            )


def _parted(program: str, words: list[str]) -> str:
    """The keys for what was written behind a command's name; behind one of PowerShell's ``-Name`` is a parameter."""
    named: dict[str, str] = {}
    placed = []
    name = ""
    for word in words:
        if _CMDLET.fullmatch(program) and _PARAMETER.fullmatch(word):
            name = word[1:]
            named[name] = "true"  # a switch, unless a value follows
        elif name:
            named[name], name = word, ""
        else:
            placed.append(word)
    keys = (
        [f"`parameters: {{{', '.join(f'{name}: {value}' for name, value in named.items())}}}`"]
        if named
        else []
    )
    keys += [f"`args: [{', '.join(placed)}]`"] if placed else []
    return " and ".join(keys)


def _check_suffix(step: Step, body: ScriptBody, problems: Problems) -> None:
    for script in body.scripts:
        fitting = SUFFIXES.get(PurePath(script.path or "").suffix.lower())
        if fitting and step.shell is not None and step.shell not in fitting:
            problems.error(
                "file-shell",
                f"`{PurePath(script.path or '').name}` is run by `{step.shell}`, which its name contradicts",
                _key_span(step, "file"),
                *suffix_hints(fitting),
            )


def suffix_hints(fitting: AbstractSet[Shell], where: str = "") -> tuple[str, ...]:
    """How to run a file in one of the shells that its name fits."""
    say = " or ".join(f"`shell: {shell}`" for shell in sorted(fitting))
    if Shell.POWERSHELL not in fitting:
        return (f"say {say}{where}",)
    return (f"say {say}{where}", "over SSH, `subsystem: powershell` on the target speaks powershell too")
