"""Tags: the ones of the core schema, Ansible's two, and what is said of all others."""

from __future__ import annotations

from typing import Final

from runner.document.nodes import AnyNode, Scalar, ScalarValue, Sequence
from runner.document.scalars import Resolve
from runner.problems import Problems
from runner.values import Span

_CORE_PREFIX: Final = "tag:yaml.org,2002:"
_PYTHON_PREFIX: Final = _CORE_PREFIX + "python/"
_SCALAR_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),),
}  # fmt: skip
_ANSIBLE: Final = {"!vault": "!vault", "!vault-encrypted": "!vault", "!unsafe": "!unsafe"}


def apply_scalar_tag(
    scalar: Scalar, tag: str, span: Span, problems: Problems, *, resolve: Resolve, ansible: bool
) -> None:
    """Give a scalar the value its tag asks for, or note why it cannot have it; ``span`` begins at the tag."""
    if tag in {"!", _CORE_PREFIX + "str"}:
        scalar.value = scalar.text
    elif ansible and tag in _ANSIBLE:
        scalar.tag = _ANSIBLE[tag]
        scalar.value = scalar.text
    elif (name := tag.removeprefix(_CORE_PREFIX)) in _SCALAR_TYPES and name != tag:
        _apply_type(scalar, name, resolve(scalar.text), span, problems)
    else:
        _note_unknown(tag, span, problems, ansible=ansible, empty=not scalar.text)


def _apply_type(scalar: Scalar, name: str, value: ScalarValue, span: Span, problems: Problems) -> None:
    if type(value) not in _SCALAR_TYPES[name]:
        problems.error(
            "wrong-tag",
            f"`!!{name}` does not fit the value `{scalar.text}`",
            span,
            f"remove `!!{name}`, or correct the value",
        )
        return
    scalar.value = float(value) if name == "float" and isinstance(value, int) else value


def check_collection_tag(node: AnyNode, tag: str, problems: Problems, *, ansible: bool) -> None:
    """Note a tag that a list or a mapping cannot have; ``!unsafe`` goes on to every text inside."""
    fitting = _CORE_PREFIX + ("seq" if isinstance(node, Sequence) else "map")
    if tag in {"!", fitting}:
        return
    if ansible and tag == "!unsafe":
        mark_unsafe(node)
        return
    span = Span(node.source.path, node.line, node.column, node.line, node.column + len(_written(tag)))
    _note_unknown(tag, span, problems, ansible=ansible, empty=False)


def mark_unsafe(node: AnyNode) -> None:
    """Mark every text inside a node as one that is never a template, as Ansible does."""
    if isinstance(node, Scalar):
        if node.tag is None and isinstance(node.value, str):
            node.tag = "!unsafe"
        return
    for child in node.items if isinstance(node, Sequence) else [value for _, value in node.items()]:
        mark_unsafe(child)


def _written(tag: str) -> str:
    return "!!" + tag.removeprefix(_CORE_PREFIX) if tag.startswith(_CORE_PREFIX) else tag


def _note_unknown(tag: str, span: Span, problems: Problems, *, ansible: bool, empty: bool) -> None:
    written = _written(tag)
    if tag.startswith(_PYTHON_PREFIX):
        problems.error(
            "python-tag",
            f"`{written}` would have YAML make a Python object, which is refused",
            span,
            "write the value as plain YAML",
        )
        return
    if tag in _ANSIBLE and not ansible:
        problems.error(
            "unknown-tag",
            f"`{written}` is a tag of Ansible's own files and not known here",
            span,
            *(
                ["name the secret in `secrets:` with `ansible_vault:`"]
                if "vault" in tag
                else ["remove the tag"]
            ),
        )
        return
    quoted = (
        f'if a text is meant (a pattern, say), quote it: `"{written}"`'
        if empty
        else f"remove `{written}`, or quote the text"
    )
    problems.error(
        "unknown-tag", f"`{written}` is a tag in YAML, and there is no such tag here", span, quoted
    )
