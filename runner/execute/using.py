"""The values behind a script's ``$Using:`` references on one host, and the script that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.errors import ExecutionFailed
from runner.execute.check_mode import holds_unknown, not_known
from runner.execute.site import Site
from runner.plan.model import PreparedScript
from runner.transport.port import Login
from runner.using.access import ChainError, apply_chain
from runner.using.model import Scan, UsingReference
from runner.using.rewrite import distinct, rewrite, variable_name
from runner.using.scan import scan
from runner.variables.scope import Scope, VariableError


def bind(site: Site, prepared: PreparedScript) -> tuple[str, dict[str, Any]]:
    """The script to send, and its values by variable name.

    Raises:
        VariableError: a variable has no value on this host.
        ExecutionFailed: a chain leads nowhere.

    """
    text, found = ready_text(site, prepared)
    values = {
        variable_name(index, prepared.shell): value_of(site, reference)
        for index, reference in enumerate(distinct(found))
    }
    return rewrite(text, found, prepared.shell), values


def ready_text(site: Site, prepared: PreparedScript) -> tuple[str, Scan]:
    """The script's text as it is on this host, references still in it, and the scan of that very text.

    Raises:
        VariableError: a template of ``template: true`` fails.

    """
    if site.planned.step.template:
        return _pasted(site.scope, prepared)
    return prepared.script.text, prepared.scan


def _pasted(scope: Scope, prepared: PreparedScript) -> tuple[str, Scan]:
    """``template: true``: the text with its templates evaluated, scanned anew because places have moved."""
    text = str(scope.render(prepared.script.as_scalar()))
    return text, scan(text, prepared.shell)


def value_of(site: Site, reference: UsingReference) -> Any:
    """What a reference stands for on this host.

    Raises:
        VariableError: the variable has no value on this host.
        ExecutionFailed: the chain leads nowhere.

    """
    try:
        value = apply_chain(_variable(site, reference.name), reference.chain)
    except ChainError as error:
        message = f"`{reference.text}`: {error.message}"
        raise ExecutionFailed("unknown-using", message, phase="plan") from error
    if site.services.check and holds_unknown(value):
        raise not_known(reference.text)
    return value


def _variable(site: Site, name: str) -> Any:
    """A variable by its name, else by its name in any case, as PowerShell looks names up."""
    scope = site.scope
    if name.lower() == "credentials" and not scope.defines(name):
        return {name: _credential(login) for name, login in site.services.logins.items()}
    if scope.knows(name):
        return scope.lookup(name)
    near = next((known for known in scope.names() if known.lower() == name.lower()), None)
    if near is None:
        raise VariableError("unknown-variable", f"`{name}` is not defined")
    return scope.lookup(near)


def _credential(login: Login) -> Mapping[str, str | None]:
    """A credential as scripts see it: user name and password, nothing else of it."""
    return {"username": login.username, "password": login.password.reveal() if login.password else None}
