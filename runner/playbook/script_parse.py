"""Scripts of a playbook: text, one for each shell, a reference to a named one, or a file."""

from __future__ import annotations

import hashlib

from runner.document.nodes import AnyNode, Scalar, Sequence
from runner.document.reader import written_path
from runner.document.traps import check_path, check_script_style
from runner.playbook.bodies import ScriptText
from runner.playbook.context import StepContext
from runner.playbook.read import text_of
from runner.problems import suggestion
from runner.using.model import Shell


def parse_scripts(
    value: AnyNode | None, context: StepContext, shell: Shell | None = None, *, key: str = "script"
) -> tuple[ScriptText, ...]:
    """The texts that a value of ``script`` stands for; ``key`` is what to call it in messages."""
    if isinstance(value, Scalar):
        check_script_style(value, context.problems, key=key)
        return (_script(value, shell),) if value.value is not None else ()
    if value is None or isinstance(value, Sequence):
        return ()
    reference = value.get("ref")
    if reference is None:
        found: list[ScriptText] = []
        for word, part in value.items():
            named = next((s for s in Shell if s.value == word.lower()), None)
            if named is None:
                return ()  # the schema check tells it
            found += parse_scripts(part, context, named, key=key)
        return tuple(found)
    name = text_of(reference) or ""
    script = context.scripts.get(name)
    if script is None:
        context.problems.error(
            "unknown-script",
            f"no script is named `{name}`",
            reference.span,
            *suggestion(name, context.scripts),
        )
        return ()
    return (_script(script, shell),)


def _script(scalar: Scalar, shell: Shell | None) -> ScriptText:
    return ScriptText(scalar.text, shell, scalar, digest=hashlib.sha256(scalar.text.encode()).hexdigest())


def parse_script_file(value: AnyNode, context: StepContext) -> tuple[ScriptText, ...]:
    """The text of a script file, read once; nothing where it cannot be read, which is a problem."""
    if not isinstance(value, Scalar) or value.value is None:
        return ()
    check_path(value, context.problems)
    if "{{" in value.text:
        context.problems.error(
            "template-not-here",
            "`file` names a file that is read before any host is known, so it cannot be a template",
            value.span,
            "use `script: {sh: ..., powershell: ...}` or several steps with `when`",
        )
        return ()
    source = context.read(context.directory / written_path(value.text), value)
    if source is None:
        return ()
    return (ScriptText(source.text, None, None, path=source.path, digest=source.digest),)
