"""Which body a step has, bound to a host: the one place that knows all of them."""

from __future__ import annotations

from runner.errors import RunnerError
from runner.execute import copy, fetch
from runner.execute.assertion import AssertRun
from runner.execute.done import Body
from runner.execute.files_body import CopyRun, FetchRun
from runner.execute.script import ScriptRun, prepare_command, prepare_script
from runner.execute.site import Site
from runner.plan.model import PlannedStep
from runner.playbook.bodies import (
    AssertBody,
    CommandBody,
    CopyBody,
    FailBody,
    FetchBody,
    GateBody,
    HttpBody,
    LaterBody,
    ScriptBody,
    SetVarsBody,
    WaitForBody,
)
from runner.using.model import Shell


def stays_here(planned: PlannedStep) -> bool:
    """Whether the step's body says nothing to its host: no link to it is opened."""
    match planned.step.body:
        case AssertBody() | SetVarsBody() | HttpBody() | FailBody():
            return True
        case GateBody():
            return "gate.that" not in planned.scripts_of
        case WaitForBody(origin="controller"):
            return "wait_for.that" not in planned.scripts_of
        case _:
            return False


async def prepare(site: Site) -> Body:
    """The step's body bound to the host, every template evaluated, nothing sent.

    Raises:
        VariableError: a template fails on this host.
        ExecutionFailed: a value makes no sense there.

    """
    match site.planned.step.body:
        case ScriptBody() | CommandBody() as body if site.placement.shell is Shell.POWERSHELL:
            return _powershell(site, body)
        case ScriptBody() as body:
            return ScriptRun(site, prepare_script(site, body))
        case CommandBody() as body:
            return ScriptRun(site, prepare_command(site, body))
        case CopyBody() as body:
            speaks = site.placement.shell is Shell.POWERSHELL
            prepared = await copy.prepare(body, site.scope, site.services.sources, powershell=speaks)
            return CopyRun(site, body, prepared)
        case FetchBody() as body:
            return FetchRun(site, fetch.prepare(body, site.scope))
        case AssertBody() as body:
            return AssertRun(site, body)
        case LaterBody() as body:
            raise RunnerError("not-available-yet", f"`{body.key}` is not available yet", body.span)
        case body:
            raise RunnerError("not-available-yet", f"`{type(body).__name__}` is not available yet")


def _powershell(site: Site, body: ScriptBody | CommandBody) -> Body:
    from runner.execute.powershell import PowerShellRun  # noqa: PLC0415 - psrpcore takes a tenth of a second
    from runner.execute.powershell_request import prepare_commands, prepare_script  # noqa: PLC0415 - as above

    prepared = prepare_commands(site, body) if isinstance(body, CommandBody) else prepare_script(site)
    return PowerShellRun(site, prepared)
