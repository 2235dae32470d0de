"""The ``script``, ``file`` and ``command`` bodies of a PowerShell step, bound to a host's values; nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.document.nodes import AnyNode
from runner.errors import ExecutionFailed
from runner.execute import rendered
from runner.execute.powershell.values import Outgoing
from runner.execute.site import Site
from runner.playbook.bodies import CommandBody, CommandItem
from runner.psrp.request import Argument, Command, PipelineRequest
from runner.psrp.script import Settings, command_request, script_request

# The words that a plan lets through: the others wait for a person or a debugger.
_ACTIONS = {word.lower(): word for word in ("Continue", "SilentlyContinue", "Stop", "Ignore")}
_STRICT = re.compile(r"off|latest|[1-9]\d*(\.\d+)*")
_VARIABLE = re.compile(r"[^=\0:*?\[\]]+")

_PREFERENCES = {
    "error_action": "ErrorActionPreference",
    "warning_action": "WarningPreference",
    "information_action": "InformationPreference",
    "verbose": "VerbosePreference",
    "debug": "DebugPreference",
}
_PARAMETERS = {
    "error_action": "ErrorAction",
    "warning_action": "WarningAction",
    "information_action": "InformationAction",
    "verbose": "Verbose",
    "debug": "Debug",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPipeline:
    """A pipeline to run: ``script`` is the author's text, empty for ``command``; ``using`` that it has such values."""

    request: PipelineRequest
    settings: Settings
    script: str = ""
    using: bool = False


def prepare_script(site: Site) -> PreparedPipeline:
    """The script of a step bound to a host's values.

    Raises:
        VariableError: a template or a ``$Using:`` name has no value.
        ExecutionFailed: a value cannot be sent or makes no sense, or there is no script for PowerShell.

    """
    step, outgoing = site.planned.step, Outgoing()
    prepared = site.planned.scripts.get(site.placement.shell)
    if prepared is None:
        message = f"there is no script for `{site.placement.shell}`"
        raise ExecutionFailed("no-script-for-shell", message, phase="plan")
    text, using = outgoing.using(site, prepared)
    arguments = [*outgoing.positional(site, step.args), *outgoing.named(site, step.parameters)]
    values = outgoing.input(site)
    settings = Settings(
        strict_mode=_strict_mode(site),
        preferences={_PREFERENCES[key]: _as_preference(word) for key, word in _actions(site).items()},
        environment=_environment(site),
        working_directory=_directory(site),
        native_exit_code=step.native_exit_code,
    )
    request = script_request(
        text, settings, arguments=arguments, using=using, values=values, needs_key=outgoing.needs_key
    )
    return PreparedPipeline(request=request, settings=settings, script=text, using=bool(using))


def prepare_commands(site: Site, body: CommandBody) -> PreparedPipeline:
    """The commands of a step, piped into each other; the common parameters go to each of them.

    Raises:
        VariableError: a template fails.
        ExecutionFailed: a value cannot be sent or makes no sense.

    """
    outgoing, settings = Outgoing(), Settings()
    common = [Argument(_as_argument(word), _PARAMETERS[key]) for key, word in _actions(site).items()]
    commands = [_command(site, item, outgoing, common, alone=len(body.items) == 1) for item in body.items]
    values = outgoing.input(site)
    request = command_request(commands, settings, values=values, needs_key=outgoing.needs_key)
    return PreparedPipeline(request=request, settings=settings)


def _command(
    site: Site, item: CommandItem, outgoing: Outgoing, common: Iterable[Argument], *, alone: bool
) -> Command:
    """One command; where it is the only one, ``args`` and ``parameters`` may stand on the step."""
    step, name = site.planned.step, rendered.text(site.scope, item.name, "`command`")
    if not name:
        raise ExecutionFailed("command-name", "`command` names no program", phase="plan")
    positional = item.args if item.args is not None or not alone else step.args
    named = item.parameters if item.parameters is not None or not alone else step.parameters
    own = [*outgoing.positional(site, positional), *outgoing.named(site, named)]
    given = {(argument.name or "").lower() for argument in own}
    return Command(
        name, arguments=(*own, *(each for each in common if (each.name or "").lower() not in given))
    )


def _actions(site: Site) -> dict[str, str]:
    """The step's common parameters that were given, each a word; verbose and debug are ``true`` or ``false``."""
    step, found = site.planned.step, {}
    for key in _PREFERENCES:
        node: AnyNode | None = getattr(step, key)
        if node is None:
            continue
        value = site.scope.render(node)
        if value is None:
            continue
        found[key] = _switch(key, value) if key in {"verbose", "debug"} else _ACTIONS[str(value).lower()]
    return found


def _switch(key: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    raise ExecutionFailed("value-type", f"`{key}` is true or false: `{value}`", phase="plan")


def _as_preference(word: str) -> str:
    """The word of a preference variable, which knows no Ignore; verbose and debug show, or do not."""
    return {"true": "Continue", "false": "SilentlyContinue", "Ignore": "SilentlyContinue"}.get(word, word)


def _as_argument(word: str) -> str | bool:
    """The value of a common parameter of one command."""
    return {"true": True, "false": False}.get(word, word)


def _strict_mode(site: Site) -> str | None:
    node = site.planned.step.strict_mode
    if node is None:
        return None
    word = rendered.text(site.scope, node, "`strict_mode`").lower()
    if not word:
        return None
    if not _STRICT.fullmatch(word):
        message = f"`strict_mode` is a version like `3.0`, latest or off: `{word}`"
        raise ExecutionFailed("strict-mode", message, phase="plan")
    if word in {"latest", "off"}:
        return word.capitalize()
    return word if "." in word else f"{word}.0"


def _environment(site: Site) -> dict[str, str]:
    found = rendered.mapping_of_texts(site.scope, site.planned.step.environment, "environment")
    for name, value in found.items():
        if not _VARIABLE.fullmatch(name) or "\0" in value:
            message = f"`environment`: `{name}` cannot be a variable of PowerShell's Env: drive"
            raise ExecutionFailed("environment-name", message, phase="plan")
    return found


def _directory(site: Site) -> str | None:
    node = site.planned.step.working_directory
    return None if node is None else rendered.text(site.scope, node, "`working_directory`") or None
