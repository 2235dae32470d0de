"""A result as the world may see it: every secret in it starred out."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from runner.credentials.redact import Redactor
from runner.engine.result import Difference, ErrorRecord, Failure, Result, Streams


def masked(result: Result, redactor: Redactor) -> Result:
    """The result with every secret masked and ``secret`` set; the very same object where it held none."""
    if redactor.empty:
        return result
    failure = _failure(result.failure, redactor)
    shown = replace(
        result,
        item=redactor.mask_value(result.item),
        output=redactor.mask_value(result.output),
        stderr=[redactor.mask(line) for line in result.stderr],
        errors=tuple(_error(error, redactor) for error in result.errors),
        streams=_streams(result.streams, redactor),
        failure=failure,
        skip_reason=None if result.skip_reason is None else redactor.mask(result.skip_reason),
        difference=_difference(result.difference, redactor),
        items=tuple(masked(item, redactor) for item in result.items),
    )
    return result if shown == result else replace(shown, secret=True)


def without_begun_secret(value: Any, redactor: Redactor) -> Any:
    """Text or lines that were cut off somewhere, without an end that may be the beginning of a secret."""
    if isinstance(value, str):
        return value[: redactor.held_from(value)]
    if isinstance(value, list) and value and isinstance(value[-1], str):
        return [*value[:-1], without_begun_secret(value[-1], redactor)]
    return value


def _failure(failure: Failure | None, redactor: Redactor) -> Failure | None:
    if failure is None:
        return None
    hints = tuple(redactor.mask(hint) for hint in failure.hints)
    return replace(failure, message=redactor.mask(failure.message), hints=hints)


def _difference(difference: Difference | None, redactor: Redactor) -> Difference | None:
    if difference is None:
        return None
    before, after = redactor.mask_value(difference.before), redactor.mask_value(difference.after)
    path = None if difference.path is None else redactor.mask(difference.path)
    return Difference(before, after, path)


def _streams(streams: Streams, redactor: Redactor) -> Streams:
    return Streams(
        **{
            field.name: tuple(redactor.mask_value(list(getattr(streams, field.name))))
            for field in fields(streams)
        }
    )


def _error(error: ErrorRecord, redactor: Redactor) -> ErrorRecord:
    def shown(text: str | None) -> str | None:
        return None if text is None else redactor.mask(text)

    return replace(
        error,
        message=redactor.mask(error.message),
        fully_qualified_error_id=shown(error.fully_qualified_error_id),
        category=shown(error.category),
        exception=tuple(map(redactor.mask, error.exception)),
        stack=shown(error.stack),
        inner=tuple(map(redactor.mask, error.inner)),
        target=shown(error.target),
        position=shown(error.position),
        recommended_action=shown(error.recommended_action),
        source=shown(error.source),
    )
