"""Files that a plan's `copy` steps take to hosts: read when they are sent, so that a plan file keeps their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from runner.document.nodes import Scalar
from runner.execute.rendered import controller_path
from runner.plan.model import Plan
from runner.playbook.bodies import CopyBody
from runner.playbook.read import is_template
from runner.problems import Problem, Severity


def copied_files(plan: Plan) -> dict[str, str]:
    """SHA-256 of each file that a step names by its whole path; one that is not there now is left out."""
    found: dict[str, str] = {}
    for _, source in _sources(plan):
        if not is_template(source):
            path = controller_path(source, source.text)
            try:
                with path.open("rb") as file:
                    found[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                continue  # told when the step runs; where the file comes meanwhile, it is new
    return found


def open_sources(plan: Plan) -> list[Problem]:
    """A warning for each step whose file is known only when it runs: no digest of it is in the plan file."""
    return [
        Problem(
            "copy-not-planned",
            f"step `{step}` copies a file that is known only when it runs: what is in it is not part of the plan",
            source.span,
            Severity.WARNING,
            ("name the file without an expression, or look at the folder too when the plan is approved",),
        )
        for step, source in _sources(plan)
        if is_template(source)
    ]


def _sources(plan: Plan) -> Iterator[tuple[str, Scalar]]:
    for planned in plan.steps:
        body = planned.step.body
        if isinstance(body, CopyBody) and isinstance(body.source, Scalar):
            yield planned.step.id, body.source
