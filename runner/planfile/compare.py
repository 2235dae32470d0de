"""What a plan file says, held against the plan that is made now: each difference by its name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runner.present.folding import fold

_APART: Final = frozenset({"digest", "runner", "warnings", "root", "plan", "check", "options"})
"""Keys that may differ where what runs is the same: what was told, where it stood, and what is chosen anew."""

_TOLD: Final = frozenset({"files", "inputs", "hosts", "steps", "playbook"})
"""Keys that are told piece by piece."""

_WORDS: Final = {
    "blocks": "blocks",
    "policies": "waves and limits",
    "pools": "pools",
    "locked": "hosts that are locked",
    "max_fail": "the run's `max_fail`",
    "max_unreachable": "the run's `max_unreachable`",
    "timeout_s": "the run's timeout",
}

_KINDS: Final = {"copy": "copied file"}
"""Kinds of files whose word is no noun."""

_REACHED: Final = ("transport", "address", "port", "user", "url", "jump")


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed since the plan file was written, each as a short sentence; empty where it runs the same.

    Args:
        then: the document of the file.
        now: the document that is built of what there is now, from the same options.

    """
    told = [*_files(then, now), *_inputs(then, now), *_hosts(then, now), *_steps(then, now)]
    if then["playbook"]["name"] != now["playbook"]["name"]:
        told.append("the playbook's name is another one")
    rest = [key for key in dict.fromkeys((*then, *now)) if key not in _APART | _TOLD]
    told += [f"{_WORDS.get(key, f'`{key}`')} changed" for key in rest if then.get(key) != now.get(key)]
    if not told and any(then[key] != now[key] for key in _TOLD):
        told.append("the plan changed, though nothing that has a name")
    if not told and then["root"] == now["root"] and then["plan"] != now["plan"]:
        told.append("the plan's digest changed, though nothing that has a name")
    return told


def file_differences(then: Mapping[str, Any], now: Mapping[tuple[str, str], str | None]) -> list[str]:
    """Recorded files that are gone or changed, by what they are now; those that ``now`` does not name are left out.

    Args:
        then: the document of the file.
        now: digests by kind and path, None for a file that is gone.

    """
    told = []
    for file in then["files"]:
        key = (file["kind"], file["path"])
        if key in now and now[key] != file["sha256"]:
            told.append(
                f"{_KINDS.get(key[0], key[0])} `{key[1]}` {'is gone' if now[key] is None else 'changed'}"
            )
    return told


def _files(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before = {(file["kind"], file["path"]): file["sha256"] for file in then["files"]}
    after = {(file["kind"], file["path"]): file["sha256"] for file in now["files"]}
    for (kind, path), word in _compared(before, after, "changed"):
        yield f"{_KINDS.get(kind, kind)} `{path}` {word}"


def _inputs(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, word in _compared(then["inputs"], now["inputs"], "has another value"):
        yield f"input `{name}` {word}"


def _compared(before: Mapping[Any, Any], after: Mapping[Any, Any], other: str) -> Iterator[tuple[Any, str]]:
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield key, "is gone"
        elif key not in before:
            yield key, "is new"
        elif before[key] != after[key]:
            yield key, other


def _hosts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before = {host["name"]: host for host in then["hosts"]}
    after = {host["name"]: host for host in now["hosts"]}
    same: dict[str, list[str]] = {}
    for name, word in _compared(before, after, ""):
        if word:
            same.setdefault(word, []).append(name)
        else:
            for how in _host(before[name], after[name]):
                same.setdefault(how, []).append(name)
    for word, names in same.items():
        if len(names) == 1:
            yield f"host `{names[0]}` {word}"
        else:
            plural = word.replace("is ", "are ", 1).replace("has ", "have ", 1)
            yield f"hosts `{fold(names)}` {plural}"
    if not same and list(before) != list(after):
        yield "the order of the hosts changed"


def _host(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["groups"] != after["groups"]:
        yield "is in other groups"
    if before["reached"] == after["reached"]:
        return
    told = False
    for key in _REACHED:
        was, is_ = ([way.get(key) for way in host["reached"]] for host in (before, after))
        if was != is_:
            told = True
            yield f"has another {key}: {_value(is_)}, was {_value(was)}"
    if not told:
        yield "is reached or spoken to in another way"


def _value(found: Sequence[Any]) -> str:
    values = dict.fromkeys("none" if each is None else _text(each) for each in found)
    return ", ".join(f"`{value}`" for value in values) or "`none`"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(each.get("address")) for each in value) or "direct"
    return str(value)


def _steps(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before = {step["id"]: step for step in then["steps"]}
    after = {step["id"]: step for step in now["steps"]}
    for name, word in _compared(before, after, ""):
        if word:
            yield f"step `{name}` {word}"
        else:
            yield from (f"step `{name}` {how}" for how in _step(before[name], after[name]))
    if set(before) == set(after) and list(before) != list(after):
        yield "the order of the steps changed"


def _step(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    was, is_ = ([each["host"] for each in step["assignments"]] for step in (before, after))
    lost, new = set(was) - set(is_), set(is_) - set(was)
    if lost or new:
        parts = [f"without `{fold(lost)}`"] if lost else []
        parts += [f"with `{fold(new)}`"] if new else []
        yield f"has other hosts: {', '.join(parts)}"
    elif was != is_:
        yield "has its hosts in another order"
    elif before["assignments"] != after["assignments"]:
        yield "runs elsewhere, or reaches its hosts in another way"
    rest = [{k: v for k, v in step.items() if k != "assignments"} for step in (before, after)]
    if rest[0] != rest[1]:
        scripts = [_scripts(step) for step in (before, after)]
        yield "sends another script" if scripts[0] != scripts[1] else "says something else"


def _scripts(step: Mapping[str, Any]) -> list[Any]:
    return [[script["place"], script["shell"], script["sha256"]] for script in step["scripts"]]
