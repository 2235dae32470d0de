"""``requires``: the versions of runner that a playbook works with."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from runner.document.nodes import AnyNode, Scalar
from runner.problems import Problems


def check_requires(node: AnyNode | None, version: str, problems: Problems) -> None:
    """Note that ``version`` is not among those the playbook asks for, or that what it asks for cannot be read."""
    if not isinstance(node, Scalar) or node.value is None:
        return
    text = node.text if node.text[:1] in "<>=!~" else f"=={node.text}"
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        problems.error(
            "requires-form",
            f"`requires` must be versions like `>=0.1` or `>=0.1,<2`: `{node.text}`",
            node.span,
            "the form is that of Python's version specifiers (PEP 440)",
        )
        return
    if not wanted.contains(version, prereleases=True):
        problems.error(
            "runner-version",
            f"the playbook requires runner {node.text}, and this is {version}",
            node.span,
            "install a version that fits, or change `requires` after a look at the changelog",
        )
