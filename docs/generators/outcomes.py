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
    "result": (
        "The result document",
        ("result", "difference", "failure", "error", "streams", "information", "progress", "counts"),
    ),
    "events": (
        "Events",
        (
            *(
                "run_started",
                "assignment_started",
                "assignment_waits",
                "deadline_set",
                "output_received",
                "progress_received",
                "assignment_ended",
                "wave_started",
                "gate_opened",
                "policy_stopped",
                "block_rescued",
                "notice",
                "run_ended",
            ),
            *("step_outline", "summary"),
        ),
    ),
    "problems": ("Problems", ("problem",)),
}

_NAMED = {"moment": "a moment", "bytes": "bytes"}  # described in the introduction, without tables


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
        always = "" if key in required else "may be absent"
        described = str(resolve(value, home)[0].get("description", ""))
        rows.append((f"`{key}`", _words(value, home), always, described))
    has_optional = any(row[2] for row in rows)
    head = ("key", "value", "", "what it is") if has_optional else ("key", "value", "what it is")
    yield table(head, rows if has_optional else [(row[0], row[1], row[3]) for row in rows])


def _words(part: Schema, home: str) -> str:
    """What a value is; a part that the page has a table of is named with a link."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if any(name in inner for _, inner in _DOCUMENTS.values()):
            return f"[`{name}`](#{name})"
        return _NAMED.get(name) or _words(resolve(part, home)[0], home)
    if "$ref" in part.get("items", {}):
        return f"a list: {_words(part['items'], home)}"
    if "anyOf" in part and "title" not in part:
        return " or ".join(_words(one, home) for one in part["anyOf"])
    return value_words(part)
