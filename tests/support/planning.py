"""Plans and problems from text, for tests of everything up to the plan."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from runner.cli.prepare import Given, Prepared, prepare

INVENTORY = """\
version: 1
vars: {site: north}
hosts:
  bastion: {}
groups:
  web:
    hosts: {"web[01:04]": {}}
    vars: {tier: front}
  db:
    hosts: {db01: {vars: {tier: back, only_db: true}}}
  empty: {}
"""


def prepared(
    folder: Path, playbook: str, *, inventory: str | None = None, validating: bool = False, **given: object
) -> Prepared:
    """What comes of a playbook written into ``folder``; ``inventory`` is the text of a native inventory."""
    path = folder / "playbook.yml"
    path.write_text(dedent(playbook), encoding="utf-8")
    if inventory is not None:
        hosts = folder / "hosts.yml"
        hosts.write_text(dedent(inventory), encoding="utf-8")
        given["inventory"] = (str(hosts),)
    return prepare(str(path), Given(**given), validating=validating)  # type: ignore[arg-type]


def found(result: Prepared) -> list[tuple[str, int | None, int | None]]:
    """Code, line and column of each problem, sorted by position."""
    return [
        (p.code, p.span.line if p.span else None, p.span.column if p.span else None)
        for p in result.problems.sorted()
    ]


def codes(result: Prepared) -> list[str]:
    """The codes of the problems, sorted by position."""
    return [problem.code for problem in result.problems.sorted()]
