"""The schema of plan files says what each of its keys is: the reference page is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runner.schema_files import schema_text


def undescribed(part: Any, path: str = "") -> Iterator[str]:
    """The keys below a part that have no word beside them."""
    if isinstance(part, list):
        for item in part:
            yield from undescribed(item, path)
    elif isinstance(part, dict):
        properties = part.get("properties")
        for key, value in properties.items() if isinstance(properties, dict) else ():
            if isinstance(value, dict) and len(value.get("description", "")) < 4:
                yield f"{path}.{key}"
        for key, value in part.items():
            yield from undescribed(value, f"{path}/{key}")


def test_every_key_of_a_plan_file_is_described() -> None:
    """Who approves a plan looks its keys up."""
    assert [] == list(undescribed(json.loads(schema_text("plan"))))
