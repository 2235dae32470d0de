"""Finding the JSON Schemas, from a checkout and from a wheel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.schema_files import schema_names, schema_text

FOLDER = Path(__file__).resolve().parents[2] / "schemas"


def test_every_schema_of_the_folder_is_named() -> None:
    """The names are those of the files under schemas/, sorted."""
    assert list(schema_names()) == sorted(f.name.split(".")[0] for f in FOLDER.glob("*.schema.json"))
    assert {"inventory", "playbook", "steps", "vars"} <= set(schema_names())


@pytest.mark.parametrize("name", ["inventory", "playbook", "steps", "vars"])
def test_the_text_is_json_schema_of_the_right_draft(name: str) -> None:
    """Each text is JSON that names draft 2020-12."""
    assert json.loads(schema_text(name))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_an_unknown_name_is_refused() -> None:
    """A name that is no schema raises KeyError, also one that tries to leave the folder."""
    for name in ("nothing", "../pyproject"):
        with pytest.raises(KeyError):
            schema_text(name)
