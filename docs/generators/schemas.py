"""Reading the JSON Schemas as documentation: references followed, words for values, examples as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from runner.schema_files import schema_text

Schema = dict[str, Any]

_NO_TITLE = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}


@cache
def schema(name: str) -> Schema:
    """A schema by name, parsed."""
    parsed: Schema = json.loads(schema_text(name))
    return parsed


def resolve(part: Schema, home: str) -> tuple[Schema, str]:
    """A part with its references followed; what stands beside a reference wins.

    Returns:
        The whole part, and the name of the schema that its own references are relative to.

    """
    if "$ref" not in part:
        return part, home
    file, _, pointer = part["$ref"].partition("#")
    home = file.removesuffix(".schema.json") or home
    found: Any = schema(home)
    for word in pointer.strip("/").split("/"):
        found = found[int(word)] if isinstance(found, list) else found[word]
    base, home = resolve(found, home)
    return {**base, **{key: value for key, value in part.items() if key != "$ref"}}, home


def value_words(part: Schema) -> str:
    """What a value must be, in words."""
    if "enum" in part:
        seen: dict[str, str] = {}
        for word in part["enum"]:
            seen.setdefault(str(word).lower(), f"`{word}`")
        return ", ".join(seen.values())
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "title" in part:
        return str(part["title"])
    kinds = part.get("type", [])
    return (
        " or ".join(_NO_TITLE[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)) or "any value"
    )


def fields_of(part: Schema, home: str) -> dict[str, tuple[Schema, str]]:
    """The keys of a mapping, or of the mapping among alternatives or in a list; each resolved, with its home."""
    found: dict[str, tuple[Schema, str]] = {}
    for inner, inner_home in _mappings(part, home):
        for key, value in inner.get("properties", {}).items():
            found.setdefault(key, resolve(value, inner_home))
    return found


def _mappings(part: Schema, home: str) -> Iterator[tuple[Schema, str]]:
    yield part, home
    for inner in part.get("anyOf", []):
        yield from _mappings(*resolve(inner, home))
    for word in ("items", "additionalProperties"):
        inner = part.get(word)
        if isinstance(inner, dict):
            yield from _mappings(*resolve(inner, home))


class _Dumper(yaml.SafeDumper):
    """Scripts as block text, everything else as short as it can be."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
# As the language reads it (YAML 1.2): `on` and `yes` are text and need no quotes.
_BOOLEAN = "tag:yaml.org,2002:bool"
_Dumper.yaml_implicit_resolvers = {
    letter: [rule for rule in rules if rule[0] != _BOOLEAN]
    for letter, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
}
_Dumper.add_implicit_resolver(_BOOLEAN, re.compile(r"true|false"), list("tf"))


def yaml_example(key: str, value: object) -> str:
    """``key: value`` as an author would write it: what is flat inside stands on one line."""
    flow = None if isinstance(value, dict | list) else False
    text: str = yaml.dump(
        {key: value}, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=100, allow_unicode=True
    )
    return text.rstrip()
