"""What a playbook says, as values: names resolved to objects where that needs no inventory, templates left as nodes.

A field of type ``AnyNode`` may hold Jinja templates and is rendered a host at a time; a field of a plain type never is
(language.md: keys that decide who and when are never templates).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from runner.document.nodes import AnyNode, Document, Mapping, Scalar, Source
from runner.using.model import Shell
from runner.values import Span


class Wait(StrEnum):
    """How an edge of ``needs`` holds: by host where possible, for all hosts, or by host only."""

    AUTO = "auto"
    ALL = "all"
    SAME = "same"


class RunIf(StrEnum):
    """What must be true of everything upstream."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"


class OutputFormat(StrEnum):
    """What a step's standard output is read as."""

    LINES = "lines"
    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of ``needs``."""

    step: str
    wait: Wait
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    """A typed parameter of the playbook; ``default`` None with ``has_default`` False means it must be given."""

    name: str
    type: str
    span: Span
    has_default: bool = False
    default: AnyNode | None = None
    description: str | None = None
    secret: bool = False
    node: Mapping | None = None


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where one secret comes from: ``kind`` is ``env``, ``file``, ``command``, ``prompt`` (later kinds are refused)."""

    kind: str
    value: AnyNode
    span: Span


@dataclass(frozen=True, slots=True)
class Credential:
    """A named login; nothing is read before a plan needs it."""

    name: str
    span: Span
    username: SecretSource | str | None = None
    password: SecretSource | None = None
    private_key: SecretSource | None = None
    passphrase: SecretSource | None = None
    certificate: SecretSource | None = None
    agent: bool = False
    throttle: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Who, and how to reach them; ``kind`` is the key that says who (``hosts``, ``ssh_connections``, ``local`` ...)."""

    name: str
    kind: str
    who: AnyNode | None
    node: Mapping | None
    span: Span
    connection: MappingABC[str, AnyNode] = field(default_factory=dict)
    throttle: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A kept interpreter on each host of a target (``session:`` of steps names it)."""

    name: str
    targets: tuple[str, ...]
    span: Span
    display_name: AnyNode | None = None
    throttle: int | None = None
    idle_close: float | None = None
    reset: str = "never"
    on_loss: str = "fail"


@dataclass(frozen=True, slots=True)
class ScriptText:
    """A script as its author wrote it: where it stands, and for which shell (None: the host's)."""

    text: str
    shell: Shell | None
    scalar: Scalar | None  # the YAML scalar it stands in; None for a file
    path: str | None = None  # shown path of the file it was read from
    digest: str = ""

    def span(self, start: int, end: int) -> Span:
        """The place of characters ``start`` to ``end`` of the text, in the file the author wrote."""
        from runner.document.positions import span_in_scalar, span_in_text  # noqa: PLC0415 - document is heavy

        if self.scalar is not None:
            return span_in_scalar(self.scalar, start, end)
        return span_in_text(self.path or "", self.text, start, end)

    def as_scalar(self) -> Scalar:
        """The scalar it stands in; of a file one that is all of it."""
        if self.scalar is not None:
            return self.scalar
        source, end = Source(self.path or "", self.text, self.digest), len(self.text)
        lines = self.text.splitlines() or [""]
        last = (len(lines), len(lines[-1]) + 1)
        return Scalar(source, 1, 1, *last, value=self.text, text=self.text, style="plain", start=0, end=end)


@dataclass(frozen=True, slots=True)
class ScriptBody:
    """``script`` or ``file``: one text, or one for each shell."""

    scripts: tuple[ScriptText, ...]
    from_file: bool = False


@dataclass(frozen=True, slots=True)
class CommandItem:
    """One program or PowerShell command with its arguments."""

    name: AnyNode
    args: AnyNode | None = None
    parameters: AnyNode | None = None


@dataclass(frozen=True, slots=True)
class CommandBody:
    """``command``: one program run as argv (a pipeline of several is for powershell)."""

    items: tuple[CommandItem, ...]


@dataclass(frozen=True, slots=True)
class CopyBody:
    """``copy``: a file or text to a place on the host."""

    node: Mapping
    source: AnyNode | None
    content: AnyNode | None
    destination: AnyNode
    owner: AnyNode | None = None
    group: AnyNode | None = None
    mode: AnyNode | None = None
    backup: bool = False
    validate: AnyNode | None = None


@dataclass(frozen=True, slots=True)
class FetchBody:
    """``fetch``: files of the host to the controller, below ``destination/HOST/`` unless ``flat``."""

    node: Mapping
    source: AnyNode
    destination: AnyNode
    flat: bool = False
    max_size: int | None = None
    missing: str = "fail"


@dataclass(frozen=True, slots=True)
class AssertBody:
    """``assert``: expressions that must hold for the host."""

    that: tuple[Scalar, ...]
    message: AnyNode | None = None


@dataclass(frozen=True, slots=True)
class LaterBody:
    """A body of the language that this version does not run; refused at plan time by name."""

    key: str
    span: Span


Body: TypeAlias = ScriptBody | CommandBody | CopyBody | FetchBody | AssertBody | LaterBody


@dataclass(frozen=True, slots=True)
class Loop:
    """``loop``: what to go over (an expression scalar or a node that gives a list) and how many at once."""

    over: AnyNode
    throttle: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A key of the language that this version does not act on; refused at plan time by name."""

    key: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, with the playbook's ``defaults`` merged in and includes spliced.

    ``targets``, ``sessions`` and ``hosts`` are as written; at most one is set, none means ``local``.
    ``throttle``: None is the default, 0 is unlimited. ``timeout`` in seconds, None is none. ``error_action`` and its
    kin are words of PowerShell in any case. ``stop`` is ``pipeline`` or ``process_tree``. ``remote_debug`` is where it
    is asked for, which a plan refuses. ``computed`` holds those of :data:`runner.playbook.read.COMPUTED_KEYS` that are
    templates; a plan computes them once for all hosts.
    """

    id: str
    span: Span
    node: Mapping
    body: Body
    name: AnyNode | None = None
    description: str | None = None
    targets: tuple[Scalar, ...] = ()
    sessions: tuple[Scalar, ...] = ()
    hosts: AnyNode | None = None
    connection: MappingABC[str, AnyNode] = field(default_factory=dict)
    shell: Shell | None = None
    needs: tuple[Need, ...] | None = None
    run_if: RunIf = RunIf.SUCCESS
    when: tuple[Scalar, ...] = ()
    loop: Loop | None = None
    tags: frozenset[str] = frozenset()
    args: AnyNode | None = None
    parameters: AnyNode | None = None
    input_object: AnyNode | None = None
    using: MappingABC[str, AnyNode] = field(default_factory=dict)
    variables: MappingABC[str, AnyNode] = field(default_factory=dict)
    environment: AnyNode | None = None
    working_directory: AnyNode | None = None
    template: bool = False
    no_new_scope: bool = False
    throttle: int | None = None
    timeout: float | None = None
    ignore_errors: AnyNode | None = None
    failed_when: tuple[Scalar, ...] = ()
    changed_when: tuple[Scalar, ...] = ()
    output: OutputFormat | None = None
    strict_mode: AnyNode | None = None
    native_exit_code: bool = False
    error_action: AnyNode | None = None
    warning_action: AnyNode | None = None
    information_action: AnyNode | None = None
    verbose: AnyNode | None = None
    debug: AnyNode | None = None
    stop: str = "pipeline"
    remote_debug: Span | None = None
    register: str | None = None
    hide_computer_name: bool = False
    later: tuple[Later, ...] = ()
    computed: MappingABC[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A playbook and everything it names that is not inventory. ``documents`` are all files read for it."""

    path: str
    document: Document
    documents: tuple[Document, ...] = ()
    name: str = ""
    description: str | None = None
    inputs: MappingABC[str, Input] = field(default_factory=dict)
    variables: MappingABC[str, AnyNode] = field(default_factory=dict)
    credentials: MappingABC[str, Credential] = field(default_factory=dict)
    session_options: MappingABC[str, Mapping] = field(default_factory=dict)
    targets: MappingABC[str, Target] = field(default_factory=dict)
    sessions: MappingABC[str, Session] = field(default_factory=dict)
    scripts: MappingABC[str, Scalar] = field(default_factory=dict)
    default_connection: MappingABC[str, AnyNode] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    throttle: int | None = None
    timeout: float | None = None
    later: tuple[Later, ...] = ()
