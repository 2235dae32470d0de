"""The schemas themselves: valid, closed, and explained for an editor at every key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from runner.document.schema_validator import findings
from runner.schema_files import schema_text
from runner.units import parse_duration, parse_size

NAMES = ("inventory", "playbook", "steps", "vars")
SCHEMAS: dict[str, Any] = {name: json.loads(schema_text(name)) for name in NAMES}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(f"{name}.schema.json", Resource.from_contents(s, DRAFT202012)) for name, s in SCHEMAS.items()]
)

# Mappings whose keys the author chooses: variables, values for scripts and servers, and names of things.
OPEN = {
    *("#/$defs/variables", "#/$defs/step/properties/using", "#/$defs/step/properties/environment"),
    *(
        "#/$defs/step/properties/set_vars",
        "#/$defs/step_parameters",
        "#/$defs/step/properties/copy/properties/content",
    ),
    "#/$defs/session_option/properties/application_arguments",
    "#",  # the root of a vars file
}


def walk(schema: Any, pointer: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its place."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for key in ("properties", "$defs", "dependentSchemas"):
        for name, child in schema.get(key, {}).items():
            yield from walk(child, f"{pointer}/{key}/{name}")
    for key in ("items", "additionalProperties", "propertyNames", "not"):
        yield from walk(schema.get(key), f"{pointer}/{key}")
    for key in ("anyOf", "oneOf"):
        for index, child in enumerate(schema.get(key, ())):
            yield from walk(child, f"{pointer}/{key}/{index}")


def resolve(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what its ``$ref`` says filled in below what it says itself."""
    while "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        name = file.removesuffix(".schema.json") or name
        found: Any = SCHEMAS[name]
        for part in pointer.strip("/").split("/"):
            found = found[int(part)] if isinstance(found, list) else found[part]
        schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


KEYS = [
    (name, f"{pointer}/properties/{key}", child)
    for name in NAMES
    for pointer, schema in walk(SCHEMAS[name])
    for key, child in schema.get("properties", {}).items()
]


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_valid(name: str) -> None:
    """Each schema is valid by the meta-schema of draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_key_is_explained() -> None:
    """Each key of the language has a description and examples, its own or those of what it refers to."""
    assert len(KEYS) > 250
    bare = [
        (name, pointer)
        for name, pointer, schema in KEYS
        if len(resolve(name, schema).get("description", "")) < 4 or not resolve(name, schema).get("examples")
    ]
    assert bare == []


def test_every_example_is_valid() -> None:
    """Each example in a schema is valid by the subschema it stands in, for editors as for the runner."""
    wrong = []
    for name in NAMES:
        for pointer, schema in walk(SCHEMAS[name]):
            target = {"$ref": f"{name}.schema.json{pointer}"}
            validator = Draft202012Validator(target, registry=REGISTRY)
            wrong += [
                (name, pointer, example)
                for example in schema.get("examples", ())
                if not validator.is_valid(example)
            ]
    assert wrong == []


def test_defaults_are_valid() -> None:
    """Each default in a schema is valid by the subschema it stands in."""
    wrong = [
        (name, pointer)
        for name in NAMES
        for pointer, schema in walk(SCHEMAS[name])
        if "default" in schema
        and not Draft202012Validator({"$ref": f"{name}.schema.json{pointer}"}, registry=REGISTRY).is_valid(
            schema["default"]
        )
    ]
    assert wrong == []


def test_everything_but_the_authors_own_names_is_closed() -> None:
    """No mapping takes unknown keys but those that hold variables and values of the author."""
    opened = set()
    for name in NAMES:
        for pointer, schema in walk(SCHEMAS[name]):
            kinds = schema.get("type", [])
            takes_mappings = "object" in ([kinds] if isinstance(kinds, str) else kinds)
            if takes_mappings and schema.get("additionalProperties", True) is True:
                opened.add(pointer)
    assert opened == OPEN


def test_keys_of_the_language_are_all_there() -> None:
    """Steps, targets and playbooks have every key that the language names."""
    defs = SCHEMAS["playbook"]["$defs"]
    step = """target session hosts run_once delegate_to order_by script file command copy fetch assert include ensure
        block rescue always rescue_on receive set_vars http fail gate wait_for reboot shell args parameters
        input_object using vars environment working_directory run_as template no_new_scope strict_mode
        native_exit_code read_only needs run_if when loop until retry tags throttle pool waves health timeout max_fail
        max_unreachable unreachable quarantine lock failed_when changed_when ignore_errors any_errors error_action
        warning_action information_action verbose debug output register collect hide_computer_name background job_name
        disconnected session_name rerun stop on_loss remote_debug id name description connection"""
    target = """hosts ssh_connections connection_uri container_id vm_name vm_id vm_guid local where max_age transport
        shell interpreter credential port connect_timeout connecting_timeout session_option throttle run_as name
        authentication use_ssl configuration_name application_name certificate_thumbprint allow_redirection
        enable_network_access trusted_hosts user_name key_file_path identity_file_path subsystem options jump
        host_key_checking known_hosts ssh_transport run_as_administrator runtime via"""
    playbook = """version name description inputs vars vars_files secrets credentials session_options targets sessions
        scripts pools defaults steps throttle timeout max_fail max_unreachable lock deadlines requires"""
    assert set(defs["step"]["properties"]) == set(step.split())
    assert set(defs["target"]["properties"]) == set(target.split())
    assert set(SCHEMAS["playbook"]["properties"]) == set(playbook.split())
    who = {
        "hosts",
        "ssh_connections",
        "connection_uri",
        "container_id",
        "vm_name",
        "vm_id",
        "vm_guid",
        "local",
    }
    assert set(defs["connection"]["properties"]) == set(target.split()) - who - {"where", "max_age"}


def test_a_schema_for_an_editor_takes_what_the_runner_takes() -> None:
    """A plain validator of draft 2020-12, as editors have one, accepts a playbook with words in canonical case."""
    playbook = {
        "version": 1,
        "targets": {"web": {"hosts": "web", "transport": "ssh", "host_key_checking": "accept_new"}},
        "steps": [{"target": "web", "script": "uptime", "error_action": "SilentlyContinue", "retry": 3}],
    }
    assert Draft202012Validator(SCHEMAS["playbook"], registry=REGISTRY).is_valid(playbook)


def timeout_is_right(value: object) -> bool:
    """Whether a playbook may have this timeout."""
    return findings("playbook", {"version": 1, "timeout": value, "steps": []}) == []


@given(st.one_of(st.text("0123456789.smhdw{", max_size=8), st.integers(-5, 10**12), st.floats()))
def test_durations_are_those_that_can_be_read(value: str | float) -> None:
    """A duration passes the schema just where it can be read; a template always does."""
    try:
        parse_duration(value)
        readable = True
    except ValueError:
        readable = isinstance(value, str) and "{{" in value
    assert timeout_is_right(value) == readable


@given(st.one_of(st.text("0123456789.kmgtib", max_size=6), st.integers(-5, 10**12)))
def test_sizes_are_those_that_can_be_read(value: str | int) -> None:
    """A size passes the schema just where it can be read."""
    try:
        parse_size(value)
        readable = True
    except ValueError:
        readable = False
    step = {"fetch": {"src": "a", "dest": "b", "max_size": value}}
    assert (findings("playbook", {"version": 1, "steps": [step]}) == []) == readable
