"""What an author does: writes files, types commands, and reads the document that comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command with `-o json` ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """What it printed."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def results(self) -> list[dict[str, Any]]:
        """All results, in the order they came."""
        assert "problems" not in self.document, self.stdout
        found: list[dict[str, Any]] = self.document["results"]
        return found

    def result(self, step: str, host: str = "localhost") -> dict[str, Any]:
        """The one result of a step on a host."""
        (found,) = (r for r in self.results if (r["step"], r["host"]) == (step, host))
        return found

    def output(self, step: str, host: str = "localhost") -> Any:
        """What a step put out on a host, which must have ended well."""
        result = self.result(step, host)
        assert result["status"] in {"ok", "changed"}, result
        return result["output"]

    def status(self, step: str, host: str = "localhost") -> str:
        """How a step ended on a host."""
        found: str = self.result(step, host)["status"]
        return found

    @property
    def statuses(self) -> dict[tuple[str, str], str]:
        """Step and host to status."""
        return {(r["step"], r["host"]): r["status"] for r in self.results}

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The problems of a refusal or of `validate`."""
        found: list[dict[str, Any]] = self.document["problems"]
        return found

    @property
    def codes(self) -> list[str]:
        """The codes of the problems that are errors."""
        return [p["code"] for p in self.problems if p["severity"] == "error"]

    @property
    def warnings(self) -> list[str]:
        """The codes of the problems that are warnings."""
        return [p["code"] for p in self.problems if p["severity"] == "warning"]

    def only_problem(self) -> dict[str, Any]:
        """The one problem there is, which is an error and comes with exit code 2."""
        assert self.code == 2, self
        (problem,) = self.problems
        assert problem["severity"] == "error"
        assert problem["line"], problem
        assert problem["column"], problem
        return problem

    @property
    def words(self) -> str:
        """All problems in words, hints included."""
        return "\n".join("\n".join([p["message"], *p["hints"]]) for p in self.problems)


@dataclass(frozen=True, slots=True)
class Author:
    """Writes into ``folder`` and types commands there."""

    folder: Path
    type_command: Callable[[list[str]], Ran]

    def write(self, name: str, text: str) -> Path:
        """A file beside the playbook."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def run(self, playbook: str, *options: str, inventory: Path | str | None = "hosts.yml") -> Ran:
        """`runner run playbook.yml -o json`; ``playbook`` lacks its first line, ``version: 1``."""
        return self._with("run", playbook, *options, inventory=inventory)

    def plan(self, playbook: str, *options: str, inventory: Path | str | None = "hosts.yml") -> Ran:
        """`runner plan playbook.yml -o json`."""
        return self._with("plan", playbook, *options, inventory=inventory)

    def validate(self, playbook: str, *options: str, inventory: Path | str | None = "hosts.yml") -> Ran:
        """`runner validate playbook.yml -o json`."""
        return self._with("validate", playbook, *options, inventory=inventory)

    def type(self, *words: str) -> Ran:
        """Any other command."""
        return self.type_command(list(words))

    def _with(self, command: str, playbook: str, *options: str, inventory: Path | str | None) -> Ran:
        self.write("playbook.yml", "version: 1\n" + dedent(playbook))
        given = ["-i", str(inventory)] if inventory is not None else []
        return self.type_command([command, "playbook.yml", *given, "-o", "json", *options])
