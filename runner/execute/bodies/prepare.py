"""Which body a step has, bound to a host: the one place that knows all of them."""

from __future__ import annotations

from runner.errors import RunnerError
from runner.execute.bodies import copy, fetch
from runner.execute.bodies.assertion import AssertRun
from runner.execute.bodies.ensure import EnsureRun
from runner.execute.bodies.fail import FailRun
from runner.execute.bodies.files_body import CopyRun, FetchRun
from runner.execute.bodies.gate import GateRun
from runner.execute.bodies.http import HttpRun
from runner.execute.bodies.reboot import RebootRun
from runner.execute.bodies.script import ScriptRun, prepare_command, prepare_script
from runner.execute.bodies.set_vars import SetVarsRun
from runner.execute.bodies.wait_for import WaitForRun
from runner.execute.check_mode import NotRun, runs
from runner.execute.done import Body
from runner.execute.site import Site
from runner.plan.model import PlannedStep
from runner.playbook.bodies import (
    AssertBody,
    CommandBody,
    CopyBody,
    EnsureBody,
    FailBody,
    FetchBody,
    GateBody,
    HttpBody,
    LaterBody,
    RebootBody,
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
    if site.services.check and not runs(site.planned.step):
        return NotRun()
    body = site.planned.step.body
    match body:
        case ScriptBody() | CommandBody() if site.placement.shell is Shell.POWERSHELL:
            return _powershell(site, body)
        case ScriptBody():
            return ScriptRun(site, prepare_script(site, body))
        case CommandBody():
            return ScriptRun(site, prepare_command(site, body))
        case CopyBody():
            speaks = site.placement.shell is Shell.POWERSHELL
            prepared = await copy.prepare(body, site.scope, site.services.sources, powershell=speaks)
            return CopyRun(site, body, prepared)
        case FetchBody():
            return FetchRun(site, fetch.prepare(body, site.scope))
        case EnsureBody():
            return EnsureRun(site)
        case RebootBody():
            return RebootRun(site, body)
        case LaterBody():
            raise RunnerError("not-available-yet", f"`{body.key}` is not available yet", body.span)
        case _:
            return _of_controller(site, body)


def _of_controller(
    site: Site, body: AssertBody | SetVarsBody | HttpBody | FailBody | GateBody | WaitForBody
) -> Body:
    """The bodies of which some or all say nothing to the host."""
    match body:
        case AssertBody():
            return AssertRun(site, body)
        case SetVarsBody():
            return SetVarsRun.prepare(site, body)
        case HttpBody():
            return HttpRun(site, body)
        case FailBody():
            return FailRun.prepare(site, body)
        case GateBody():
            return GateRun(site, body)
        case WaitForBody():
            return WaitForRun(site, body)


def _powershell(site: Site, body: ScriptBody | CommandBody) -> Body:
    from runner.execute.powershell.body import PowerShellRun  # noqa: PLC0415 - psrpcore takes a tenth of a second
    from runner.execute.powershell.request import prepare_commands, prepare_script  # noqa: PLC0415 - as above

    prepared = prepare_commands(site, body) if isinstance(body, CommandBody) else prepare_script(site)
    return PowerShellRun(site, prepared)
