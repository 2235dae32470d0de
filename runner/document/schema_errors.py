"""What jsonschema finds, told as problems: the author's words, the exact place, one problem a mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from runner.document.nodes import AnyNode, Scalar, Sequence
from runner.document.nodes import Mapping as MappingNode
from runner.document.schema_place import Place, node_at, place_of
from runner.document.schema_validator import Finding, is_template, keys_elsewhere
from runner.document.schema_values import (
    MODULES,
    about_value,
    is_bare_number,
    is_flag,
    name_hints,
    shown,
    unit_hints,
    words_of,
)
from runner.document.schema_words import correct
from runner.document.traps import check_boolean, check_present, check_script_style
from runner.problems import Problem, Problems

_FIRST = {"additionalProperties": 0, "propertyNames": 0}
_LAST = {"required": 2, "oneOf": 2}
_VALUE_CODES = {
    "type": "wrong-type",
    "anyOf": "wrong-type",
    "minItems": "empty-value",
    "minProperties": "empty-value",
}
_OPEN_CREDENTIAL_KEYS = {("username",), ("throttle",), ("agent",)}
_SOURCE = "where a secret comes from"
_SCRIPT_MAPPING = "a reference, or a script for each shell"
_HOW_TO_SOURCE = "`{env: NAME}`, `{file: PATH}`, `{command: [...]}` or `{prompt: QUESTION}`"


class _Trap(Protocol):
    def __call__(self, node: AnyNode, problems: Problems, *, key: str) -> None: ...


class SchemaErrors:
    """Turns the errors of one document into problems and remembers which nodes they are about."""

    def __init__(self, schema: str, root: AnyNode, problems: Problems) -> None:
        self._schema = schema
        self._root = root
        self._problems = problems
        self._unknown: dict[int, list[str | None]] = {}
        self.noted: set[int] = set()
        self._tell: Mapping[str, Callable[[Finding, AnyNode, Place], None]] = {
            "additionalProperties": self._unknown_keys,
            "anyOf": self._any_of,
            "dependentRequired": self._companions,
            "maxProperties": self._alone,
            "not": self._not_together,
            "oneOf": self._exactly_one,
            "required": self._missing,
        }

    def note_all(self, found: Iterable[Finding]) -> None:
        """Note errors; unknown keys first and missing ones last, because the one often explains the other."""
        for finding in sorted(found, key=lambda f: _FIRST.get(f.rule, _LAST.get(f.rule, 1))):
            self._note(finding)

    def _note(self, finding: Finding) -> None:
        node = node_at(self._root, finding.path)
        place = place_of(self._schema, self._root, finding.path)
        if finding.of_name and isinstance(node, MappingNode):
            self._wrong_name(finding, node, place)
        else:
            self._tell.get(finding.rule, self._wrong_value)(finding, node, place)

    def _error(self, code: str, message: str, node: AnyNode, *hints: str) -> None:
        self._problems.error(code, message, node.span, *hints)
        self.noted.add(id(node))

    # keys

    def _unknown_keys(self, finding: Finding, node: AnyNode, place: Place) -> None:
        known = finding.schema.get("properties", {})
        if not isinstance(node, MappingNode):
            return
        extras = [key for key in node.entries if key not in known]
        if finding.title == _SCRIPT_MAPPING and self._told(check_script_style, node, place):
            return
        for key in extras:
            value = node.entries[key][1]
            if self._is_source(finding) and isinstance(value, Scalar) and value.value is None:
                self._plain_secret(node, place)
                continue
            found = correct(place.scope, key, known, keys_elsewhere(place.scope))
            self._unknown.setdefault(id(node), []).append(found.key)
            self._problems.error(
                "unknown-key", f"{place.subject} has no key `{key}`", node.key(key).span, *found.hints
            )
            self.noted.update((id(node.key(key)), id(value)))

    def _missing(self, finding: Finding, node: AnyNode, place: Place) -> None:
        if not isinstance(node, MappingNode):
            return
        unknown = self._unknown.get(id(node), [])
        for key in finding.due:
            if (
                key in node.entries
                or key in unknown
                or (unknown and place.kind not in {"playbook", "inventory"})
            ):
                continue
            hint = "write `version: 1`" if key == "version" else f"add `{key}`"
            span = next((name.span for name, _ in node.entries.values()), node.span)
            self._problems.error("missing-key", f"{place.subject} needs `{key}`", span, hint)
            self.noted.add(id(node))

    def _exactly_one(self, finding: Finding, node: AnyNode, place: Place) -> None:
        """One of several keys: bodies of a step, who of a target, the source of a secret, `src` or `content`."""
        if not isinstance(node, MappingNode):
            return
        choice = [branch["required"][0] for branch in finding.due]
        given = [key for key in node.entries if key in choice]
        for key in given[1:]:
            self._two(place, given[0], key, node)
        meant = any(isinstance(node.get(key), MappingNode) for key in MODULES)  # told at the key
        if given or meant or id(node) in self._unknown or id(node) in self.noted:
            return
        words = words_of(choice)
        span = next((name.span for name, _ in node.entries.values()), node.span)
        self.noted.add(id(node))
        if place.kind == "step" and not place.keys:
            message = f"{place.subject} has no body: nothing says what it does"
            self._problems.error(
                "no-body", message, span, "add one of " + ", ".join(f"`{w}`" for w in choice)
            )
        elif place.kind == "target" and not place.keys:
            self._problems.error("no-who", f"{place.subject} does not say who", span, f"add {words}")
        else:
            self._problems.error("missing-key", f"{place.subject} needs {words}", span, f"add {words}")

    def _two(self, place: Place, first: str, second: str, node: MappingNode) -> None:
        code, why, hint = "excluded-key", "only one of them can be given", f"keep `{first}` or `{second}`"
        if {first, second} in ({"vm_id", "vm_guid"}, {"host_name", "computer_name"}):
            code, why = "alias-twice", "both are names of one key"
        elif place.kind == "step" and not place.keys:
            code, why, hint = "two-bodies", "a step has one body", f"put `{second}` into a step of its own"
        elif place.kind == "target" and not place.keys:
            code, why, hint = (
                "two-whos",
                "a target says who in one way",
                f"put `{second}` into a target of its own",
            )
        self._beside(
            code, f"`{second}` of {place.subject} does not go with `{first}`: {why}", node, second, hint
        )

    def _beside(self, code: str, message: str, node: MappingNode, key: str, *hints: str) -> None:
        """A problem at a key, for what it does beside another one."""
        self._problems.error(code, message, node.key(key).span, *hints)
        self.noted.update((id(node), id(node.entries[key][1])))

    def _not_together(self, finding: Finding, node: AnyNode, place: Place) -> None:
        if isinstance(node, MappingNode):
            first, second = (key for key in node.entries if key in finding.due["required"])
            self._two(place, first, second, node)

    def _alone(self, finding: Finding, node: AnyNode, place: Place) -> None:
        del finding
        if isinstance(node, MappingNode):
            other = next(key for key in node.entries if key != "ref")
            self._beside(
                "excluded-key",
                f"`{other}` of {place.subject} does not go with `ref`: a script is named or written, not both",
                node,
                other,
            )

    def _companions(self, finding: Finding, node: AnyNode, place: Place) -> None:
        if not isinstance(node, MappingNode):
            return
        for key, needed in finding.due.items():
            if key in node.entries and needed[0] not in node.entries:
                self._beside(
                    "missing-companion",
                    f"`{key}` of {place.subject} goes with `{needed[0]}` only",
                    node,
                    key,
                    f"add `{needed[0]}`, or take `{key}` out",
                )

    def _wrong_name(self, finding: Finding, node: MappingNode, place: Place) -> None:
        name = str(finding.value)
        key = node.key(name)
        self.noted.add(id(node.entries[name][1]))
        if finding.rule == "enum":
            hints = correct("", name, finding.due, {}).hints
            message = f"{place.subject} has no key `{name}`"
            self._problems.error("unknown-key", message, key.span, *hints)
        else:
            message = f"a name in {place.subject} must be {finding.title}: `{name}`"
            self._problems.error("wrong-name", message, key.span, *name_hints(name))

    # values

    def _any_of(self, finding: Finding, node: AnyNode, place: Place) -> None:
        fitting = [branch for branch in finding.branches if not any(map(_is_other_type, branch))]
        if len(fitting) == 1 and not any(
            f.itself and f.rule == "pattern" and not f.title for f in fitting[0]
        ):
            self.note_all(fitting[0])
        else:
            self._wrong_value(finding, node, place)

    def _wrong_value(self, finding: Finding, node: AnyNode, place: Place) -> None:
        if id(node) in self.noted:
            return  # a text that is no duration breaks a pattern and a format: one mistake
        if self._is_source(finding) and not isinstance(node, MappingNode):
            self._plain_secret(node, place)
        elif isinstance(node, Scalar) and node.value is None:
            self._empty(node, place)
        elif not place.keys and place.kind in {"playbook", "inventory", "steps"} and node is self._root:
            self._not_a_document(finding, node, place)
        elif is_template(finding.value) and isinstance(node, Scalar):
            message = (
                f"{place.subject} cannot be a template: it is read before any host is known: `{node.text}`"
            )
            self._error("template-not-here", message, node, "write the value itself")
        elif place.keys == ("version",) and finding.rule == "const" and finding.value != "1":
            message = f"this runner reads version 1: {shown(node)}"
            self._error("language-version", message, node, "write `version: 1`, or update the runner")
        elif is_flag(finding) and self._told(check_boolean, node, place):
            pass
        elif is_bare_number(finding):
            message = f"{place.subject} must say its unit: {shown(node)}"
            self._error("bare-number", message, node, *unit_hints(str(finding.value)))
        else:
            self._plainly_wrong(finding, node, place)

    def _empty(self, node: Scalar, place: Place) -> None:
        if place.keys and not place.entry:
            check_present(node, self._problems, key=place.keys[-1])
            self.noted.add(id(node))
        else:
            self._error(
                "empty-value", f"{place.subject} has no value", node, "write it, or take the line out"
            )

    def _told(self, trap: _Trap, node: AnyNode, place: Place) -> bool:
        """Whether a trap of YAML is what is wrong here; it tells that better than the schema does."""
        before = len(self._problems)
        trap(node, self._problems, key=place.scope)
        told = len(self._problems) > before
        if told:
            self.noted.add(id(node))
        return told

    def _plainly_wrong(self, finding: Finding, node: AnyNode, place: Place) -> None:
        about = about_value(finding, node)
        code = _VALUE_CODES.get(finding.rule, "wrong-value")
        if finding.rule == "pattern" and finding.title.startswith("a name of letters"):
            code = "wrong-name"
        secret = place.kind in {"credential", "secret"} and place.keys not in _OPEN_CREDENTIAL_KEYS
        tail = "" if secret and isinstance(node, Scalar) else about.tail
        message = f"{place.subject} {about.rule}{tail}"
        self._error(code, message, node, *about.hints(place))

    def _is_source(self, finding: Finding) -> bool:
        return finding.title.startswith(_SOURCE)

    def _plain_secret(self, node: AnyNode, place: Place) -> None:
        if isinstance(node, Scalar) and node.value is None:
            self._empty(node, place)
            return
        hints = (f"say where it comes from: {_HOW_TO_SOURCE}",)
        message = f"{place.subject} is a secret written in plain text"
        self._problems.add(Problem("plain-secret", message, node.span, hints=hints, private=True))
        self.noted.add(id(node))

    def _not_a_document(self, finding: Finding, node: AnyNode, place: Place) -> None:
        hints: tuple[str, ...] = ()
        if place.kind == "playbook" and isinstance(node, Sequence):
            hints = ("write `version: 1`, then the list below `steps:`",)
        what = "list" if isinstance(node, Sequence) else "text"
        message = f"the file must be {finding.title}, not a {what}"
        self._error(
            "not-a-playbook" if place.kind != "inventory" else "not-an-inventory", message, node, *hints
        )


def _is_other_type(finding: Finding) -> bool:
    """Whether the value itself is of another type; not so where only something inside it is wrong."""
    if not finding.itself:
        return False
    if finding.rule == "anyOf":
        return all(any(map(_is_other_type, branch)) for branch in finding.branches)
    if finding.rule == "enum":
        return isinstance(finding.value, dict | list | bool | None)
    return finding.rule in {"type", "const"}
