"""A plan file as the one who approves it reads it: made of what the file holds, and of nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from runner.planfile.file import moment
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, line, wrap_line
from runner.present.plan_rows import SHORT_DIGEST, seconds, stops
from runner.units import format_duration


def plan_file_lines(
    document: Mapping[str, Any], *, now: datetime, width: int = 80, whole: bool = False
) -> list[Line]:
    """The lines of a plan file.

    Args:
        document: a document that is right by its schema and its digest.
        now: for its age.
        width: cells that rows are wrapped at; the author's own texts stay on their lines.
        whole: what each step says and sends, too.

    """
    rows = [*_head(document, now), (), *_hosts(document)]
    policies = {policy["of"]: policy for policy in document["policies"]}
    for block in document["blocks"]:
        rows += [(), *_block(block, policies)]
    for number, step in enumerate(document["steps"], 1):
        rows += [(), *_step(number, step, policies)]
    lines = [each for row in rows for each in (wrap_line(row, width) if row else [row])]
    if whole:
        for step in document["steps"]:
            lines += [(), *_whole(step)]
    return lines


def _head(document: Mapping[str, Any], now: datetime) -> Iterator[Line]:
    made = moment(document["now"])
    age = max(0.0, (now - made).total_seconds())
    assignments = sum(len(step["assignments"]) for step in document["steps"])
    playbook = document["playbook"]
    yield line(Piece(_clean(playbook["name"]), Role.STRONG), f"  {_clean(playbook['path'])}")
    yield line(
        f"{_count(len(document['steps']), 'step')}, {_count(len(document['hosts']), 'host')},"
        f" {_count(assignments, 'assignment')}"
    )
    yield line(f"made {made:%Y-%m-%d %H:%M:%S} UTC, {_age(age)} ago, by runner {_clean(document['runner'])}")
    yield line(f"digest {document['digest']}")
    yield line(f"in {_clean(document['root'])}")
    options = " ".join(_options(document["options"]))
    if options:
        yield line(f"with {options}")
    if document["check"]:
        yield line(Piece("check: nothing is changed on any host", Role.NOTE))
    if document["locked"]:
        yield line(f"locks on the controller for the run: {fold(document['locked'])}")
    limits = list(stops(document["max_fail"], document["max_unreachable"]))
    if limits:
        yield line(f"stops {', or '.join(limits)}, in the whole run")
    if document["timeout_s"] is not None:
        yield line(f"ends after {seconds(document['timeout_s'])} at most")
    for pool in document["pools"]:
        yield line(f"pool {_clean(pool['name'])} of {pool['size']}{', adaptive' if pool['adaptive'] else ''}")
    for file in document["files"]:
        yield line(f"{file['kind']:<9} {_clean(file['path'])}  sha256 {file['sha256'][:SHORT_DIGEST]}")
    for warning in document["warnings"]:
        place = f"  {_clean(warning['place'])}" if warning["place"] else ""
        yield line(
            Piece(f"warning[{_clean(warning['code'])}]: ", Role.WARNING),
            f"{_clean(warning['message'])}{place}",
        )


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    """What was typed, as it is typed; secret values are not there."""
    for name in ("inventory", "tags", "skip_tags", "only"):
        yield from (f"--{name.replace('_', '-')} {_clean(value)}" for value in options.get(name, ()))
    for name in ("limit", "start_at", "throttle", "timeout", "credential", "user", "shell", "certificates"):
        if name in options:
            yield f"--{name.replace('_', '-')} {_clean(options[name])}"
    yield from (f"-e {_clean(name)}={_clean(value)}" for name, value in options.get("extras", {}).items())
    yield from (f"-e {_clean(name)}=(secret)" for name in options.get("secret_extras", ()))
    if options.get("ask_password"):
        yield "--ask-password"


def _hosts(document: Mapping[str, Any]) -> Iterator[Line]:
    """Hosts by how they are reached; where only the address tells them apart they stand together, if not too many."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for host in document["hosts"]:
        for way in host["reached"]:
            address = way["address"] or host["name"]
            jump = way["jump"]
            words = [way["transport"], way["shell"]]
            words += [f"port {way['port']}"] if way["port"] is not None else []
            words += [f"as {way['user']}"] if way["user"] else []
            words += [f"through {', '.join(each['address'] for each in jump)}"] if jump else []
            alike.setdefault(", ".join(words), []).append((host["name"], address))
    for how, found in alike.items():
        names = list(dict.fromkeys(name for name, _ in found))
        yield line("over ", _clean(how), ": ", Piece(_clean(fold(names)), Role.HOSTS))
        others = dict.fromkeys((name, address) for name, address in found if address != name)
        for name, address in others:
            yield line(f"     {_clean(name)} at {_clean(address)}")


def _block(block: Mapping[str, Any], policies: Mapping[str, Any]) -> Iterator[Line]:
    parts = [part for part in ("rescue", "always") if block[part]]
    with_ = f" with {' and '.join(parts)}" if parts else ""
    yield line("     ", Piece(_clean(block["id"]), Role.STRONG), f"  block{with_}")
    yield _on(block["hosts"])
    yield from _order(block)
    if block["throttle"]:
        yield _row("limit", f"{block['throttle']} at once in the block")
    yield from _policy(policies.get(block["id"]))


def _step(number: int, step: Mapping[str, Any], policies: Mapping[str, Any]) -> Iterator[Line]:
    loop = "  for each item" if step["loop"] else ""
    yield line(f"{number:>3}  ", Piece(_clean(step["id"]), Role.STRONG), f"  {_clean(step['kind'])}{loop}")
    if step["in"] is not None:
        yield _row("in", f"{step['in']['part']} of {step['in']['block']}")
    yield _on([each["host"] for each in step["assignments"]])
    delegates = {other["host"] for each in step["assignments"] for other in each.get("delegates", ())}
    if delegates:
        yield _row("by", f"{fold(delegates)} in the place of each host")
    if step["seen_by"]:
        yield _row("once", f"for {_count(len(step['seen_by']), 'host')}")
    yield from _order(step)
    yield from _policy(policies.get(step["id"]))
    yield from (_row("until", text) for text in step["until"])
    if step["retry"] is not None:
        yield _row("retry", f"{step['retry'].get('attempts')} attempts")
    late = step["unreachable"]
    if isinstance(late, Mapping):
        yield _row("late", f"unreachable hosts are tried again for {seconds(late['give_up_after_s'])}")
    elif late == "ignore":
        yield _row("late", "unreachable hosts are ignored")
    if step["timeout_s"] is not None:
        yield _row("limit", f"{seconds(step['timeout_s'])} for an attempt")
    if step["pools"]:
        yield _row("takes", ", ".join(f"{weight} of {name}" for name, weight in step["pools"].items()))
    if step["lock"] is not None:
        yield _row("lock", "on the host" if step["lock"] == "target" else "on the controller, for the run")
    for script in step["scripts"]:
        place = "" if script["place"] == "script" else f"{script['place']}  "
        yield _row("sends", f"{place}{script['path']}  sha256 {script['sha256'][:SHORT_DIGEST]}")


def _order(unit: Mapping[str, Any]) -> Iterator[Line]:
    if unit["needs"]:
        yield _row("after", ", ".join(need["step"] for need in unit["needs"]))
    if unit["run_if"] != "success":
        yield _row("if", f"run_if {unit['run_if']}")
    yield from (_row("when", " ".join(text.split())) for text in unit["when"])


def _policy(policy: Mapping[str, Any] | None) -> Iterator[Line]:
    """Each wave with its hosts, and what stops the rest."""
    if policy is None:
        return
    for number, wave in enumerate(policy["waves"], 1):
        pause = f", then {seconds(wave['pause_s'])}" if wave["pause_s"] else ""
        yield _row(f"wave {number}", f"{fold(wave['hosts'])}  ({len(wave['hosts'])}){pause}")
    if policy["health"]:
        yield _row("health", "is checked before each further wave")
    if policy["any_errors"]:
        yield _row("stops", "at the first failure on any host, and ends what runs")
    for words in stops(policy["max_fail"], policy["max_unreachable"]):
        yield _row("stops", words)


def _whole(step: Mapping[str, Any]) -> Iterator[Line]:
    """What a step says, and the scripts that stand in files of their own."""
    yield line(Piece(_clean(step["id"]), Role.STRONG), f"  sha256 {step['sha256']}")
    said = yaml.safe_dump(step["says"], sort_keys=False, allow_unicode=True, width=1000)
    yield from _text(said)
    for script in step["scripts"]:
        if not _says(step["says"], script["text"]):
            yield line("  ", Piece(_clean(script["path"]), Role.STRONG), f"  sha256 {script['sha256']}")
            yield from _text(script["text"])


def _says(value: Any, text: str) -> bool:
    """Whether a text stands in what a step says already."""
    if isinstance(value, Mapping):
        return any(_says(each, text) for each in value.values())
    if isinstance(value, list):
        return any(_says(each, text) for each in value)
    return bool(value == text)


def _text(text: str) -> Iterator[Line]:
    return (line("    ", harmless(each)) for each in text.splitlines())


def _on(names: Sequence[str]) -> Line:
    count = f"  ({len(names)})" if len(names) > 1 else ""
    shown = _clean(fold(names)) if names else "no hosts: skipped"
    return line("     on     ", Piece(shown, Role.HOSTS), count)


def _row(word: str, text: str) -> Line:
    return line(f"     {word:<6} {_clean(text)}")


def _clean(value: object) -> str:
    """One line without what a terminal obeys: whoever wrote the file is the one who is looked at."""
    return harmless(" ".join(str(value).splitlines()))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _age(age: float) -> str:
    days, rest = divmod(age, 86400)
    return f"{_count(int(days), 'day')} {format_duration(rest)}" if days else format_duration(age)
