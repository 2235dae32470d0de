"""A step's values as PowerShell gets them: ``$Using:`` by key, arguments, input; what cannot be sent is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.document.nodes import AnyNode
from runner.errors import ExecutionFailed
from runner.execute import rendered
from runner.execute.site import Site
from runner.execute.using import ready_text, value_of
from runner.objects import PSCredential
from runner.plan.model import PreparedScript
from runner.psrp.request import Argument
from runner.psrp.to_ps import NotSendable, holds_secret, to_ps
from runner.transport.port import Login
from runner.using.access import ChainError, apply_chain
from runner.using.keys import keyed
from runner.using.model import Access, UsingReference


@dataclass(slots=True)
class Outgoing:
    """Turns the values of one pipeline into what is sent; ``needs_key`` when one of them holds a secret."""

    needs_key: bool = field(default=False, init=False)

    def sent(self, value: Any, what: str) -> Any:
        """The value for the wire; ``what`` names it in the author's words.

        Raises:
            ExecutionFailed: PowerShell has nothing like it, or it is nested too deeply (``value-not-sendable``).

        """
        try:
            sendable = to_ps(value)
        except NotSendable as error:
            raise ExecutionFailed(
                "value-not-sendable",
                f"{what} cannot be sent to PowerShell: {_place(error)}{error.reason}",
                hints=("nothing was sent; send text, numbers, lists and mappings",),
                phase="plan",
            ) from None
        self.needs_key = self.needs_key or holds_secret(value)
        return sendable

    def using(self, site: Site, prepared: PreparedScript) -> tuple[str, dict[str, Any]]:
        """The script to send, which is the author's own text, and its ``$Using:`` values by key.

        Raises:
            VariableError: a variable has no value on this host.
            ExecutionFailed: a chain leads nowhere, or a value cannot be sent.

        """
        text, found = ready_text(site, prepared)
        values = {
            key: self.sent(_using_value(site, reference), f"`{reference.text}`")
            for key, reference in keyed(found)
        }
        return text, values

    def positional(self, site: Site, node: AnyNode | None) -> list[Argument]:
        """``args``: typed, with nulls and lists as they are.

        Raises:
            VariableError: a template fails.
            ExecutionFailed: a value cannot be sent.

        """
        values = rendered.arguments(site.scope, node, typed=True)
        return [Argument(self.sent(value, f"`args[{n}]`")) for n, value in enumerate(values)]

    def named(self, site: Site, node: AnyNode | None) -> list[Argument]:
        """``parameters``: by name; true and false are what a switch takes.

        Raises:
            VariableError: a template fails.
            ExecutionFailed: it is no mapping, or a value cannot be sent.

        """
        values = None if node is None else site.scope.render(node)
        if values is None:
            return []
        if not isinstance(values, Mapping):
            raise ExecutionFailed(
                "value-type", "`parameters` must be a mapping of names to values", phase="plan"
            )
        return [
            Argument(self.sent(value, f"`parameters.{name}`"), str(name)) for name, value in values.items()
        ]

    def input(self, site: Site) -> list[Any] | None:
        """``input_object`` item by item: a list is its items, anything else one item; None where there is none.

        Raises:
            VariableError: a template fails.
            ExecutionFailed: an item cannot be sent.

        """
        node = site.planned.step.input_object
        if node is None:
            return None
        value = site.scope.render(node)
        items = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [self.sent(item, f"`input_object[{n}]`") for n, item in enumerate(items)]


def _using_value(site: Site, reference: UsingReference) -> Any:
    if reference.name.lower() == "credentials" and not site.scope.defines(reference.name):
        return _credentials(site.services.logins, reference)
    return value_of(site, reference)


def _credentials(logins: Mapping[str, Login], reference: UsingReference) -> Any:
    """``$Using:credentials.NAME`` as PSCredential; a member of one as text, its password as SecureString."""
    if not reference.chain:
        return dict(_whole(logins))
    try:
        return _of_login(apply_chain(logins, reference.chain[:1]), reference.chain[1:])
    except ChainError as error:
        raise ExecutionFailed(
            "unknown-using", f"`{reference.text}`: {error.message}", phase="plan"
        ) from error


def _whole(logins: Mapping[str, Login]) -> Iterator[tuple[str, PSCredential]]:
    for name, login in logins.items():
        if login.username is not None and login.password is not None:
            yield name, PSCredential(login.username, login.password)


def _of_login(login: Any, chain: tuple[Access, ...]) -> Any:
    if not isinstance(login, Login):
        raise ChainError("there is no such credential")
    if chain:
        return apply_chain({"UserName": login.username, "Password": login.password}, chain)
    if login.username is None or login.password is None:
        raise ChainError("a PSCredential has a user name and a password, and this credential lacks one")
    return PSCredential(login.username, login.password)


def _place(error: NotSendable) -> str:
    """Where in the value, unless it is the value itself."""
    return "" if error.path == "$" else f"`{error.path.removeprefix('$.')}`: "
