"""What is sent for a step: the author's script or commands, with what the step sets of the session before them. Pure.

The script is the last statement of its pipeline and goes unchanged: with several statements a ``throw`` or ``exit`` in
one that is not the last ends neither the pipeline nor its state (remoting.md 12, server/51). What the statements
before it set is the session's, so a kept session is asked for it before (:func:`look_request`) and gets it back
(:func:`restore_request`); strict mode can be asked for by nothing but trying.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.psrp.request import Argument, Command, PipelineRequest, Statement
from runner.using.keys import VALUES_PARAMETER


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a step sets of the session while its script runs.

    Attributes:
        strict_mode: the version for ``Set-StrictMode``, ``Latest`` or ``Off``.
        preferences: preference variables and their words (``ErrorActionPreference``: ``Stop``).
        environment: variables and their values.
        working_directory: where the script begins.
        native_exit_code: ``$LASTEXITCODE`` is asked for afterwards, so it must not be that of an earlier run.

    """

    strict_mode: str | None = None
    preferences: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str | None = None
    native_exit_code: bool = False

    @property
    def change_session(self) -> bool:
        """Whether anything stays behind in a session that is kept."""
        changed = (self.strict_mode, self.working_directory)
        return bool(self.preferences or self.environment) or any(value is not None for value in changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a kept session had before a step's settings; ``strict_mode`` 0 is off, 1 to 3 a version.

    ``directory_found``: whether the step's working directory is there.
    """

    location: str
    strict_mode: int
    preferences: Mapping[str, str | None]
    environment: Mapping[str, str | None]
    directory_found: bool = True


def script_request(
    script: str,
    settings: Settings,
    *,
    arguments: Sequence[Argument] = (),
    using: Mapping[str, Any] | None = None,
    values: Iterable[Any] | None = None,
    needs_key: bool = False,
) -> PipelineRequest:
    """The pipeline of a script: positional and named arguments, then the ``$Using:`` values where there are any.

    ``arguments``, ``using`` (by key) and ``values`` (the pipeline's input, None for none) come from ``to_ps``.
    """
    given = tuple(sorted(arguments, key=lambda argument: argument.name is not None))
    if using:
        given += (Argument(dict(using), VALUES_PARAMETER),)
    script_command = Command(script, is_script=True, arguments=given)
    statements = (*setting_statements(settings), Statement((script_command,)))
    return PipelineRequest(statements=statements, input=values, needs_key=needs_key)


def command_request(
    commands: Sequence[Command],
    settings: Settings,
    *,
    values: Iterable[Any] | None = None,
    needs_key: bool = False,
) -> PipelineRequest:
    """The pipeline of commands that are piped into each other; no script in it, as no-language endpoints want it."""
    statements = (*setting_statements(settings), Statement(tuple(commands)))
    return PipelineRequest(statements=statements, input=values, needs_key=needs_key)


def command(text: str, *positional: Any, **named: Any) -> Command:
    """A command with its arguments, those by position first."""
    arguments = [Argument(value) for value in positional]
    return Command(text, arguments=(*arguments, *(Argument(value, name) for name, value in named.items())))


def setting_statements(settings: Settings) -> tuple[Statement, ...]:
    """The statements that set what the step asks for, values as arguments of commands and never as text."""
    commands = []
    if settings.working_directory is not None:
        commands.append(command("Set-Location", LiteralPath=settings.working_directory))
    commands += [
        command("Set-Item", LiteralPath=f"Env:{name}", Value=value)
        for name, value in settings.environment.items()
    ]
    if settings.strict_mode is not None:
        commands.append(_strict_mode(settings.strict_mode))
    commands += [
        command("Set-Variable", Name=name, Value=value) for name, value in settings.preferences.items()
    ]
    if settings.native_exit_code:
        commands.append(Command("$global:LASTEXITCODE = $null", is_script=True))
    return tuple(Statement((each,)) for each in commands)


def _strict_mode(version: str) -> Command:
    return (
        command("Set-StrictMode", Off=True)
        if version == "Off"
        else command("Set-StrictMode", Version=version)
    )


LAST_EXIT_CODE = PipelineRequest(statements=(Statement((Command("$LASTEXITCODE", is_script=True),)),))
"""The exit code of the last native program: it is not transmitted, and a second pipeline reads it (remoting.md 2.7)."""


def directory_request(path: str) -> PipelineRequest:
    """Asks whether a working directory is there: were it not, the script would run somewhere else (server/51)."""
    asked = command("Test-Path", LiteralPath=path, PathType="Container")
    return PipelineRequest(statements=(Statement((asked,)),))


# No method but where the language mode allows it, so that it also works under AppLocker and its like; and what it
# provokes to find the strict mode out does not stay in $Error, which scripts look at.
_LOOK = """\
param([string[]]$Preference, [string[]]$Environment, [string]$Directory)
$strict = 0
$errors = $Error.Count
try { $null = $a_name_that_nobody_has_given } catch { $strict = 1 }
if ($strict -eq 1) { try { $null = (New-Object PSObject).Nothing } catch { $strict = 2 } }
if ($strict -eq 2) { try { $null = @(0)[1] } catch { $strict = 3 } }
Set-StrictMode -Off
if ($ExecutionContext.SessionState.LanguageMode -eq 'FullLanguage') {
  while ($Error.Count -gt $errors) { $Error.RemoveAt(0) }
}
function Get-EnvironmentValue($Name) {
  $found = Get-Item -LiteralPath "Env:$Name" -ErrorAction Ignore
  if ($found) { $found.Value } else { $null }
}
[pscustomobject]@{
  Location = (Get-Location).Path
  StrictMode = $strict
  Preferences = @(foreach ($name in $Preference) { [string](Get-Variable -Name $name -Scope Global -ValueOnly) })
  Environment = @(foreach ($name in $Environment) { Get-EnvironmentValue $name })
  DirectoryFound = -not $Directory -or (Test-Path -LiteralPath $Directory -PathType Container)
}
"""


def look_request(settings: Settings) -> PipelineRequest:
    """Asks a kept session for what ``settings`` is about to change; runs in a scope of its own and leaves nothing."""
    asked = {
        "Preference": list(settings.preferences),
        "Environment": list(settings.environment),
        "Directory": settings.working_directory or "",
    }
    arguments = tuple(Argument(value, name) for name, value in asked.items())
    looking = Command(_LOOK, is_script=True, arguments=arguments, use_local_scope=True)
    return PipelineRequest(statements=(Statement((looking,)),))


def read_before(settings: Settings, answer: Mapping[str, Any]) -> Before:
    """The answer of :func:`look_request`.

    Raises:
        ValueError: the answer is something else.

    """
    try:
        preferences, environment = answer["Preferences"], answer["Environment"]
        return Before(
            location=str(answer["Location"]),
            strict_mode=int(answer["StrictMode"]),
            preferences=dict(zip(settings.preferences, preferences, strict=True)),
            environment=dict(zip(settings.environment, environment, strict=True)),
            directory_found=answer["DirectoryFound"] is True,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("the answer about the session's settings cannot be understood") from error


def restore_request(settings: Settings, before: Before) -> PipelineRequest:
    """Puts back what ``settings`` changed; what the script itself changed beside it stays."""
    commands = []
    if settings.strict_mode is not None:
        commands.append(_strict_mode(f"{before.strict_mode}.0" if before.strict_mode else "Off"))
    commands += [
        command("Set-Variable", Name=name, Value=value)
        for name, value in before.preferences.items()
        if value is not None
    ]
    for name, value in before.environment.items():
        if value is None:
            commands.append(command("Remove-Item", LiteralPath=f"Env:{name}", ErrorAction="Ignore"))
        else:
            commands.append(command("Set-Item", LiteralPath=f"Env:{name}", Value=value))
    if settings.working_directory is not None:
        commands.append(command("Set-Location", LiteralPath=before.location))
    return PipelineRequest(statements=tuple(Statement((each,)) for each in commands))
