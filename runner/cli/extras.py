"""``-e``: values typed on the command line, or read from a file of YAML or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import Source, to_plain
from runner.document.reader import PLAYBOOK_LIMIT, read_source
from runner.document.yaml import load
from runner.errors import DocumentError, UsageError
from runner.problems import Problems
from runner.values import Span
from runner.variables.inputs import Extra, parse_yaml_text


def read_extras(given: Sequence[str]) -> dict[str, Extra]:
    """``-e`` values: ``name=value`` is text, ``@file`` and ``{...}`` are typed; later ones win.

    Raises:
        UsageError: one is neither.
        DocumentError: a file has problems.

    """
    extras: dict[str, Extra] = {}
    for text in given:
        if text.startswith("@"):
            extras.update(_extras_of_file(text))
        elif text.lstrip().startswith("{"):
            extras.update({name: Extra(value, "-e") for name, value in _mapping_of(text).items()})
        else:
            name, equals, value = text.partition("=")
            if not equals or not name.strip().isidentifier():
                given_name = f"{name}=..." if equals else text  # the value may be a secret
                message = f"`-e` takes `name=value`, `{{...}}` or `@file`: `{given_name}`"
                raise UsageError("extra-form", message, hints=("e.g. `-e version=2.1`",))
            extras[name.strip()] = Extra(value, "-e")
    return extras


def _mapping_of(text: str) -> dict[str, Any]:
    try:
        value = to_plain(parse_yaml_text(text))
    except ValueError as error:
        raise UsageError("extra-form", f"`-e`: {error}") from error
    if not isinstance(value, dict):
        raise UsageError("extra-form", "`-e` takes a mapping in braces, as in `-e '{version: 2.1}'`")
    return value


def _extras_of_file(text: str) -> dict[str, Extra]:
    problems = Problems()
    source = read_source(text[1:], problems, limit=PLAYBOOK_LIMIT)
    extras: dict[str, Extra] = {}
    if source is not None:
        # JSON is nearly YAML, but its escapes of characters beyond the first plane are not.
        read = _json_values if text.lower().endswith(".json") else _yaml_values
        extras = {
            name: Extra(value, f"-e {text}", span) for name, (value, span) in read(source, problems).items()
        }
    if problems.has_errors:
        raise DocumentError(problems.sorted())
    return extras


def _yaml_values(source: Source, problems: Problems) -> dict[str, tuple[Any, Span]]:
    root = load(source, problems).root
    if isinstance(root, MappingNode):
        return {name: (to_plain(node), node.span) for name, node in root.items()}
    if root is not None:
        _tell_no_mapping(root.span, problems)
    return {}


def _json_values(source: Source, problems: Problems) -> dict[str, tuple[Any, Span]]:
    whole = Span(source.path)
    try:
        values = json.loads(source.text)
    except json.JSONDecodeError as error:
        place = Span(source.path, error.lineno, error.colno, error.lineno, error.colno + 1)
        problems.error("extra-form", "the file is not JSON", place, f"the reader stopped here: {error.msg}")
        return {}
    if not isinstance(values, dict):
        _tell_no_mapping(whole, problems)
        return {}
    return {name: (value, whole) for name, value in values.items()}


def _tell_no_mapping(span: Span, problems: Problems) -> None:
    problems.error("vars-file", "a file for `-e` must be a mapping of names to values", span)
