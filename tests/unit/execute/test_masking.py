"""No text of a result escapes the mask."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from runner.credentials.redact import Redactor
from runner.engine.result import ErrorRecord, Failure, Result, Status, Streams
from runner.execute.masking import masked

SECRET = "hunter2!"


def filled(record: type, **numbers: Any) -> Any:
    """A record whose every text holds the secret; new fields are met by this too."""
    values: dict[str, Any] = dict(numbers)
    for field in fields(record):
        if field.name in values:
            continue
        values[field.name] = (f"a {SECRET}",) if "tuple" in str(field.type) else f"a {SECRET}"
    return record(**values)


def test_every_text_of_a_result_is_masked() -> None:
    """Output, streams, errors with all their fields, failure and hints: the secret is nowhere."""
    redactor = Redactor()
    redactor.add(SECRET)
    result = Result(
        step="a",
        host="web",
        status=Status.FAILED,
        item={"key": SECRET},
        output=[{"a": [SECRET]}, SECRET],
        stderr=[SECRET],
        errors=(filled(ErrorRecord, line=1, column=1),),
        streams=filled(Streams),
        failure=filled(Failure, code="x", phase="execute", may_have_run=True),
        skip_reason=SECRET,
    )

    shown = masked(result, redactor)

    assert SECRET not in repr(shown)
    assert shown.secret


def test_a_result_without_secrets_is_the_same() -> None:
    """Nothing is copied where nothing is hidden."""
    redactor = Redactor()
    redactor.add(SECRET)
    result = Result(step="a", host="web", status=Status.OK, output=["plain"])

    assert masked(result, redactor) is result
