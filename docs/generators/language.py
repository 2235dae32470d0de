"""The pages of the playbook language and of the native inventory, from their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docs.generators.invoke_command import parameters_of
from docs.generators.markdown import anchor, block, page, table
from docs.generators.schemas import Schema, fields_of, resolve, schema, value_words, yaml_example
from runner.plan.connection import TRANSPORTS
from runner.playbook.later import BODIES, PLAYBOOK_KEYS, SECRET_SOURCES, STEP_KEYS, TARGET_KEYS

_NOT_YET = "**Not available yet**: valid, and refused by name before a run."

_INTRODUCTION = """\
Version 1. Every key with what it takes; the same words are in the JSON Schema
([use it in your editor](../how-to/editor.md)). Texts may hold `{{ }}` [templates](templates.md), except where a key
decides who runs and when. Words of an enumeration are read in any case. Keys marked *not available yet* are part of the
language already, so that no playbook that uses them is silently half run."""

_NEAREST = """\
The same keys may stand on a step (`connection`), a target, in `defaults.connection`, and in the inventory on a host, a
group or all hosts. The nearest wins: step, target, host, group, defaults."""

_STEP_GROUPS = {
    "Who": "target session hosts connection run_once delegate_to order_by",
    "Bodies": "script file command copy fetch assert include ensure block rescue always rescue_on receive set_vars"
    " http fail gate wait_for reboot",
    "How it is run": "shell args parameters input_object using vars environment working_directory run_as template"
    " no_new_scope strict_mode native_exit_code read_only",
    "When": "needs run_if when loop until retry tags",
    "How many, how long": "throttle pool waves health timeout max_fail max_unreachable unreachable quarantine lock",
    "What counts": "failed_when changed_when ignore_errors any_errors error_action warning_action"
    " information_action verbose debug",
    "What comes back": "output register collect hide_computer_name",
    "Mode": "background job_name disconnected session_name rerun stop on_loss remote_debug",
    "About it": "id name description",
}

# Keys that only hosts of one transport have; they are marked as long as plans refuse it.
_OF_TRANSPORT = {
    "winrm": "connection_uri authentication use_ssl configuration_name application_name certificate_thumbprint"
    " allow_redirection enable_network_access trusted_hosts",
    "container": "container_id run_as_administrator runtime",
    "vm": "vm_name vm_id vm_guid via",
}
_REFUSED = frozenset(
    key for transport, keys in _OF_TRANSPORT.items() if transport not in TRANSPORTS for key in keys.split()
)

# Sections of their own; where a key holds one of them, the page points there.
_SECTIONS = {
    "inputs": "Inputs",
    "targets": "Targets",
    "sessions": "Sessions",
    "credentials": "Credentials",
    "session_options": "Session options",
    "session_option": "Session options",
    "defaults": "Defaults",
    "steps": "Steps",
    "ssh_connections": "Entries of ssh_connections",
    "connection": "Connection settings",
    "block": "Steps",
    "rescue": "Steps",
    "always": "Steps",
    "secrets": "Sources of secrets",
    "password": "Sources of secrets",
    "private_key": "Sources of secrets",
    "passphrase": "Sources of secrets",
    "certificate": "Sources of secrets",
    "username": "Sources of secrets",
}


def pages() -> dict[str, str]:
    """``language.md`` and ``inventory.md``."""
    return {"language.md": _language(), "inventory.md": _inventory()}


def _language() -> str:
    root = schema("playbook")
    definitions: Mapping[str, Schema] = root["$defs"]
    connection = set(definitions["connection"]["properties"])
    parts = [
        "# The playbook language",
        _INTRODUCTION,
        *_section("Playbook", root, "playbook", 2, PLAYBOOK_KEYS),
        *_section("Inputs", definitions["input"], "playbook", 2),
        *_section(
            "Targets", definitions["target"], "playbook", 2, TARGET_KEYS, leave_out=connection - {"port"}
        ),
        "A target also takes every one of the [connection settings](#connection-settings).",
        *_section("Connection settings", definitions["connection"], "playbook", 2, TARGET_KEYS | _REFUSED),
        _NEAREST,
        *_section("Entries of ssh_connections", definitions["ssh_connection"], "playbook", 2),
        *_section("Sessions", definitions["session"], "playbook", 2),
        *_section("Credentials", definitions["credential"], "playbook", 2),
        *_section("Sources of secrets", definitions["source"], "playbook", 2, SECRET_SOURCES),
        *_section("Session options", definitions["session_option"], "playbook", 2),
        "## Defaults",
        definitions["defaults"]["description"],
        block(yaml_example("defaults", definitions["defaults"]["examples"][0]), "yaml"),
        "## Steps",
        definitions["step"]["description"],
        *_steps(definitions["step"]),
    ]
    return page(parts)


def _steps(step: Schema) -> Iterator[str]:
    fields = fields_of(step, "playbook")
    grouped = [key for keys in _STEP_GROUPS.values() for key in keys.split()]
    if sorted(grouped) != sorted(fields):
        raise ValueError(f"keys of steps without a group: {sorted(set(fields) ^ set(grouped))}")
    for title, keys in _STEP_GROUPS.items():
        yield f"### {title}"
        for key in keys.split():
            yield from _key(key, *fields[key], level=4, later=STEP_KEYS | BODIES, section="Steps")


def _inventory() -> str:
    root = schema("inventory")
    definitions: Mapping[str, Schema] = root["$defs"]
    parts = [
        "# The native inventory",
        "Other forms, and patterns over them, are in [Inventories](../how-to/inventory.md).",
        *_section("Inventory", root, "inventory", 2),
        *_section("A host", definitions["host"], "inventory", 2),
        *_section("A group", definitions["group"], "inventory", 2),
    ]
    return page(parts)


def _section(
    title: str,
    part: Schema,
    home: str,
    level: int,
    later: frozenset[str] = frozenset(),
    *,
    leave_out: set[str] | frozenset[str] = frozenset(),
) -> Iterator[str]:
    part, home = resolve(part, home)
    yield f"{'#' * level} {title}"
    yield str(part.get("description", ""))
    for key, (value, value_home) in fields_of(part, home).items():
        if key not in leave_out:
            yield from _key(key, value, value_home, level=level + 1, later=later, section=title)


def _key(
    key: str, part: Schema, home: str, *, level: int, later: frozenset[str], section: str = ""
) -> Iterator[str]:
    """A key: what it is, what it takes, an example, and the keys below it."""
    yield f"{'#' * level} `{key}`"
    if key in later:
        yield _NOT_YET
    yield str(part.get("description", ""))
    default = f" Default: `{_shown(part['default'])}`." if "default" in part else ""
    there = parameters_of(section, key)
    yield f"Takes {value_words(part)}.{default}" + (f" Invoke-Command: {there}." if there else "")
    if part.get("examples"):
        yield block("\n# or\n".join(yaml_example(key, example) for example in part["examples"]), "yaml")
    target = _SECTIONS.get(key)
    if target is not None and (target != section or section == "Steps"):
        yield f"Its keys: [{target}](language.md#{anchor(target)})."
        return
    inner = fields_of(part, home)
    if inner and key != "options":
        yield table(
            ("key", "takes", "default", "what it is"),
            (
                (
                    f"`{name}`",
                    value_words(field),
                    f"`{_shown(field['default'])}`" if "default" in field else "",
                    str(field.get("description", "")),
                )
                for name, (field, _) in inner.items()
            ),
        )


def _shown(value: object) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
