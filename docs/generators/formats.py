"""The pages of file formats: the journal of a run, the plan file, locks; each from its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from docs.generators.markdown import block, page, table
from docs.generators.schemas import Schema, resolve, schema, value_words

_JOURNAL = """\
# The journal of a run

A run is a directory, `.runner/runs/RUN/`, that only its user can read:

| path | what it is |
| --- | --- |
| `journal.jsonl` | a record a line, in the order in which things happened; the first one is the header |
| `spool/ab/cdef...` | long parts of results, by their SHA-256; equal ones of many hosts are kept once |
| `control/` | what other processes say to the run: answers to gates, a stop |
| `lock` | held by the process that runs it |
| `reserve` | room for the last records should the disk be full, 1 MiB; only while the run goes on |

`started` is on disk, synced, before anything is sent to the host. A last line that is not whole is what a crash leaves:
it is left out. Any other line that is not as described is an error
([`journal-damaged`](errors/journal-damaged.md)), as is another `format`
([`journal-version`](errors/journal-version.md)). No secret is in any of these files.

[The rules](../explanation/journal-and-resume.md) · [Go on after a crash](../how-to/resume-after-a-crash.md) ·
`runner schema journal` prints the schema."""

_PLAN = """\
# The plan file

What `runner plan PLAYBOOK --out FILE` writes: one JSON document, readable by its user alone. No secret is in it. Its
`options` are those of [the header of a journal](journal.md#record_run). A signature is a file beside it, `FILE.sig`,
made by `ssh-keygen -Y sign -n runner-plan -f KEY FILE`.

[Approve a plan](../how-to/approve-a-plan.md) · `runner plan show FILE` shows it to people · `runner schema plan` prints
the schema."""

_LOCKS = """\
# Locks

`lock: run` is a row for each host in a database: `runner/locks.db` (SQLite) in the user's state directory, or what
`--database` names. `runner locks list -o json` prints it as described here; the tables are not an interface. It is
renewed three times within its minute. `lock: target` is a file on the host, `.runner-lock.N` in `/run/lock` where all
may write there, else in `/tmp`, on Windows in `%ProgramData%\\runner-locks`; N is its token. It is free after 3 minutes
without a renewal, by the clock of the host.

[How to use them](../how-to/locks.md) · `runner schema lock` prints the schema."""

_RUNS = """\
# What is told of runs

What `runner runs list`, `runs show`, `runs diff` and `runner resume --check` print with `-o json`. Results and
summaries are those of [the documents of a run](documents.md).

[Go on after a crash](../how-to/resume-after-a-crash.md) · `runner schema runs` prints the schema."""


def pages() -> dict[str, str]:
    """``journal.md``, ``plan-file.md``, ``locks.md`` and ``runs.md``."""
    return {
        "journal.md": page(
            [_JOURNAL, *_definitions("journal", "## Records", "record_"), *_rest("journal", "record_")]
        ),
        "plan-file.md": page([_PLAN, *_whole("plan"), *_definitions("plan", "## Parts", "")]),
        "locks.md": page([_LOCKS, *_definitions("lock", "## Documents", "")]),
        "runs.md": page([_RUNS, *_definitions("runs", "## Documents and their parts", "")]),
    }


def _whole(name: str) -> Iterator[str]:
    yield "## The document"
    yield _table(schema(name), name)


def _rest(name: str, prefix: str) -> Iterator[str]:
    """The parts that the definitions with that prefix are made of."""
    yield "## Parts of records"
    for key, part in schema(name)["$defs"].items():
        if not key.startswith(prefix):
            yield from _definition(key, part, name)


def _definitions(name: str, title: str, prefix: str) -> Iterator[str]:
    yield title
    for key, part in schema(name)["$defs"].items():
        if key.startswith(prefix):
            yield from _definition(key, part, name)


def _definition(key: str, part: Schema, home: str) -> Iterator[str]:
    yield f"### `{key}`"
    yield str(part.get("description", ""))
    yield _table(part, home) or f"Takes {_words(part, home)}."
    for example in part.get("examples", [])[:1]:
        yield block(json.dumps(example, indent=2 if len(json.dumps(example)) > 90 else None), "json")


def _table(part: Schema, home: str) -> str:
    rows = list(_rows(part, home, ""))
    return table(("key", "value", "", "what it is"), rows) if rows else ""


def _rows(part: Schema, home: str, before: str) -> Iterator[tuple[str, str, str, str]]:
    """A row for each key; those of a mapping without a name of its own, or of a list of such, stand below it."""
    required = part.get("required", [])
    for key, value in part.get("properties", {}).items():
        path = f"{before}{key}"
        told = str(resolve(value, home)[0].get("description", ""))
        yield f"`{path}`", _words(value, home), "" if key in required else "may be absent", told
        inner, below = value, f"{path}."
        if "items" in value:
            inner, below = value["items"], f"{path}[]."
        # A plan file's options are those of a journal, where each is described.
        if "$ref" not in inner and not (home == "plan" and path == "options"):
            yield from _rows(inner, home, below)


def _words(part: Schema, home: str) -> str:
    """What a value is; a part that the page has a heading of is named with a link."""
    if "$ref" in part:
        file, _, pointer = part["$ref"].partition("#")
        name = pointer.rpartition("/")[2]
        return f"[`{name}`]({'documents.md' if file else ''}#{name})"
    for word, said in (("items", "a list: "), ("additionalProperties", "a mapping: ")):
        inner = part.get(word)
        if isinstance(inner, Mapping) and inner:
            return said + _words(dict(inner), home)
    for word in ("anyOf", "oneOf"):
        if word in part and "title" not in part:
            return " or ".join(_words(one, home) for one in part[word])
    return value_words(part)
