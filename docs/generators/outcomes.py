"""The page of documents that programs read: results, events, problems."""

from __future__ import annotations

import json
from collections.abc import Iterator

from docs.generators.markdown import block, page, table
from docs.generators.schemas import Schema, resolve, schema, value_words

_INTRODUCTION = """\
# Documents for programs

What `-o json` and `-o jsonl` print. Each has a JSON Schema that tests hold it to; `runner schema NAME` prints it. A
datetime and a duration are ISO 8601, a Decimal is text, bytes and text that is not UTF-8 are `{"$bytes": base64}`."""

_DOCUMENTS = {
    "result": ("The result document", ("result", "failure", "error", "streams", "counts")),
    "events": (
        "Events",
        (
            *(
                "run_started",
                "assignment_started",
                "output_received",
                "assignment_ended",
                "notice",
                "run_ended",
            ),
            *("step_outline", "summary"),
        ),
    ),
    "problems": ("Problems", ("problem",)),
}


def pages() -> dict[str, str]:
    """``documents.md``."""
    parts = [_INTRODUCTION]
    for name, (title, inner) in _DOCUMENTS.items():
        whole = schema(name)
        parts += [f"## {title}", whole["description"]]
        if name != "events":
            parts += _fields(whole, name)
            parts.append(block(json.dumps(whole["examples"][0], indent=2), "json"))
        for definition in inner:
            parts += [f"### `{definition}`", whole["$defs"][definition]["description"]]
            parts += _fields(whole["$defs"][definition], name)
    return {"documents.md": page(parts)}


def _fields(part: Schema, home: str) -> Iterator[str]:
    required = part.get("required", [])
    rows = []
    for key, value in part.get("properties", {}).items():
        field, _ = resolve(value, home)
        always = "" if key in required else "may be absent"
        rows.append((f"`{key}`", _words(value, field), always, str(field.get("description", ""))))
    has_optional = any(row[2] for row in rows)
    head = ("key", "value", "", "what it is") if has_optional else ("key", "value", "what it is")
    yield table(head, rows if has_optional else [(row[0], row[1], row[3]) for row in rows])


def _words(written: Schema, field: Schema) -> str:
    """What a value is; a part with a table of its own is named."""
    inner = written if "$ref" in written else written.get("items", {})
    if isinstance(inner, dict) and "$ref" in inner:
        name = inner["$ref"].rpartition("/")[2]
        inside = field if "$ref" in written else resolve(inner, "result")[0] if name == "result" else {}
        if "properties" in inside:
            return f"[`{name}`](#{name})" if inner is written else f"a list of [`{name}`](#{name})"
    if "anyOf" in field and "title" not in field:
        return " or ".join(
            _words(one, one) if "$ref" not in one else _reference(one) for one in field["anyOf"]
        )
    return value_words(field)


def _reference(part: Schema) -> str:
    name = part["$ref"].rpartition("/")[2]
    return "a moment" if name == "moment" else f"[`{name}`](#{name})"
