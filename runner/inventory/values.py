"""Makes variables of what inventories hold: templates get places, secrets are masked, vaulted values are marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from runner.document.nodes import AnyNode, Mapping, Node, Scalar, Sequence, Source
from runner.document.vault import VAULT_HINTS
from runner.inventory.model import AnyVariable, Setting, Variable, VaultedVariable
from runner.inventory.ssh_arguments import SSH_ARGUMENTS, parse_ssh_arguments
from runner.inventory.windows_ignored import WINDOWS_IGNORED
from runner.problems import Problem, Problems, Severity
from runner.values import Secret, Span

_TEMPLATE = re.compile(r"\{[{%#]")
_SECRET_NAME = re.compile(r"ansible_(\w+_)?(pass|password|passwd|passphrase)")


def is_template(text: str) -> bool:
    """Whether the text holds Jinja."""
    return "{" in text and _TEMPLATE.search(text) is not None


def names_secret(name: str) -> bool:
    """Whether Ansible's variable of this name is a password or a passphrase."""
    return name.startswith("ansible_") and _SECRET_NAME.fullmatch(name) is not None


class VariableMaker:
    """Makes the variables of one file; ``vars`` of all hosts and groups in it go through here.

    Warns once a file and name about secrets in plain text, however many hosts have one.
    """

    def __init__(self, source: Source, problems: Problems) -> None:
        self.source = source
        self._problems = problems
        self._secrets_told: set[str] = set()
        self._arguments_told: set[str] = set()
        self._ignored_told: set[str] = set()

    def from_node(self, name: str, node: AnyNode, owner: str) -> AnyVariable:
        """A variable of a YAML file."""
        if name in SSH_ARGUMENTS and isinstance(node, Scalar):
            self._check_ssh_arguments(name, node.text, owner, node.span)
        self._tell_ignored(name, owner, node.span)
        vaulted = next(_tagged(node, "!vault"), None)
        if vaulted is not None:
            return self._vaulted(name, owner, vaulted.span)
        if names_secret(name) and isinstance(node, Scalar) and not is_template(node.text):
            return self._secret(name, node.text, owner, node.span)
        if next(_tagged(node, "!unsafe"), None) is not None:
            return Variable(plain(node), owner, node.span)
        return Variable(node, owner, node.span)

    def from_plain(self, name: str, value: Any, owner: str, span: Span | None, start: int = 0) -> AnyVariable:
        """A variable that an INI file or JSON gives; ``start`` is the offset of its text in the source."""
        self._tell_ignored(name, owner, span)
        if not isinstance(value, list | dict):
            templated = isinstance(value, str) and is_template(value)
            if names_secret(name) and value is not None and not templated:
                return self._secret(name, str(value), owner, span)  # a password of digits is text too
            if name in SSH_ARGUMENTS:
                self._check_ssh_arguments(name, str(value), owner, span)
            if not templated:
                return Variable(value, owner, span)
        if _holds_key(value, "__ansible_vault"):
            return self._vaulted(name, owner, span)
        if _holds_key(value, "__ansible_unsafe"):
            return Variable(_unwrapped(value), owner, span)
        if not _holds_template(value):
            return Variable(value, owner, span)
        return Variable(_NodeMaker(self.source, span, start).node(value), owner, span)

    def _check_ssh_arguments(self, name: str, text: str, owner: str, span: Span | None) -> None:
        place = span or Span(self.source.path)
        try:
            unknown = parse_ssh_arguments(text).unknown
        except ValueError as error:
            self._problems.error(
                "ssh-arguments",
                f"`{name}` of {owner} cannot be read: {str(error).lower()}",
                place,
                "close the quote",
            )
            return
        if unknown and text not in self._arguments_told:
            self._arguments_told.add(text)
            self._problems.warning(
                "ssh-argument-ignored",
                f"`{name}` of {owner} holds what has no meaning here: `{' '.join(unknown)}`",
                place,
                "use `-o Word=value` for options, and `-J` for jump hosts",
            )

    def _tell_ignored(self, name: str, owner: str, span: Span | None) -> None:
        instead = WINDOWS_IGNORED.get(name)
        if instead is not None and name not in self._ignored_told:
            self._ignored_told.add(name)
            self._problems.warning(
                "winrm-variable-ignored",
                f"`{name}` of {owner} has no meaning here",
                span or Span(self.source.path),
                instead,
            )

    def _vaulted(self, name: str, owner: str, span: Span | None) -> AnyVariable:
        self._problems.warning(
            "vaulted-value",
            f"`{name}` of {owner} is encrypted with Ansible Vault, which is not read yet; using it is an error",
            span or Span(self.source.path),
            *VAULT_HINTS,
        )
        return VaultedVariable(name, owner, span)

    def _secret(self, name: str, text: str, owner: str, span: Span | None) -> AnyVariable:
        if name not in self._secrets_told:
            self._secrets_told.add(name)
            hint = (
                "name a credential under `credentials:` of the playbook, its secret from `env`, `file` or `command`,"
                " and give it with `credential:`"
            )
            self._problems.add(
                Problem(
                    "plain-text-secret",
                    f"`{name}` of {owner} is a secret in plain text; it is used and masked",
                    span or Span(self.source.path),
                    Severity.WARNING,
                    (hint,),
                    private=True,
                )
            )
        return Variable(Secret(text), owner, span)


def plain(value: Any) -> Any:
    """The value as plain Python values; a node's templates stay text."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Sequence):
        return [plain(item) for item in value.items]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def text_of(value: Any) -> str | None:
    """A scalar's text as its author wrote it, else None; secrets and lists have none."""
    if isinstance(value, Scalar):
        return value.text if value.value is not None else None
    if value is None or isinstance(value, Secret | Node | list | dict):
        return None
    return str(value)


def node_like(model: Any, value: Any) -> Any:
    """``value`` as nodes at the place of ``model`` where it holds templates, so that they are evaluated."""
    if isinstance(model, Scalar) and _holds_template(value):
        return _NodeMaker(model.source, model.span, model.start).node(value)
    return value


def settings_of(node: Mapping, owner: str) -> Iterable[tuple[str, Setting]]:
    """The keys of a native ``connection:``."""
    return ((key, Variable(value, owner, value.span)) for key, value in node.items())


def _tagged(node: AnyNode, tag: str) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        if node.tag == tag:
            yield node
        return
    for child in node.items if isinstance(node, Sequence) else (value for _, value in node.items()):
        yield from _tagged(child, tag)


def _holds_key(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value or any(_holds_key(item, key) for item in value.values())
    return isinstance(value, list) and any(_holds_key(item, key) for item in value)


def _unwrapped(value: Any) -> Any:
    """JSON with ``{"__ansible_unsafe": text}`` replaced by the text, which is no template."""
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and "__ansible_unsafe" in value:
            return value["__ansible_unsafe"]
        return {key: _unwrapped(item) for key, item in value.items()}
    return value


def _holds_template(value: Any) -> bool:
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, dict):
        return any(_holds_template(item) for item in value.values())
    return isinstance(value, list) and any(_holds_template(item) for item in value)


class _NodeMaker:
    """Nodes for plain values that hold templates, all at one place: the value's."""

    def __init__(self, source: Source, span: Span | None, start: int) -> None:
        place = span or Span(source.path)
        self._place = (source, place.line, place.column, place.end_line, place.end_column)
        self._start = start

    def node(self, value: Any) -> AnyNode:
        if isinstance(value, list):
            return Sequence(*self._place, items=[self.node(item) for item in value])
        if isinstance(value, dict):
            return Mapping(
                *self._place, entries={str(k): (self._scalar(str(k)), self.node(v)) for k, v in value.items()}
            )
        return self._scalar(value)

    def _scalar(self, value: Any) -> Scalar:
        text = str(value)
        return Scalar(
            *self._place,
            value=value,
            text=text,
            style="plain",
            start=self._start,
            end=self._start + len(text),
        )
