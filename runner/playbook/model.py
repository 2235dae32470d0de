"""What a playbook says, as values: names resolved to objects where that needs no inventory, templates left as nodes.

A field of type ``AnyNode`` may hold Jinja templates and is rendered a host at a time; a field of a plain type never is
(language.md: keys that decide who and when are never templates).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum

from runner.document.nodes import AnyNode, Document, Mapping, Scalar
from runner.playbook.bodies import Body, Condition
from runner.playbook.control import (
    BlockPlace,
    Deadlines,
    Late,
    Later,
    Loop,
    Need,
    Pool,
    PoolUse,
    Retry,
    RunIf,
    Tolerance,
    Wave,
)
from runner.using.model import Shell
from runner.values import Span


class OutputFormat(StrEnum):
    """What a step's standard output is read as."""

    LINES = "lines"
    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    OBJECTS = "objects"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block. Its steps stand in the playbook's list, each with its :class:`BlockPlace`; ``needs`` may name a block.

    ``when``, ``run_if`` and ``needs`` are asked when a host enters; inner steps have what the block says of everything
    else (who, vars, tags ...) merged in. ``node`` is the step that holds it.
    """

    id: str
    span: Span
    node: Mapping
    name: AnyNode | None = None
    place: BlockPlace | None = None
    needs: tuple[Need, ...] = ()
    run_if: RunIf = RunIf.SUCCESS
    when: tuple[Scalar, ...] = ()
    variables: MappingABC[str, AnyNode] = field(default_factory=dict)
    throttle: int | None = None
    order_by: Scalar | None = None
    waves: tuple[Wave, ...] = ()
    health: Condition | None = None
    max_fail: Tolerance | None = None
    max_unreachable: Tolerance | None = None
    any_errors: bool = False
    rescue_on: str = "host"
    has_rescue: bool = False
    has_always: bool = False
    computed: MappingABC[tuple[str, ...], AnyNode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, with the playbook's ``defaults`` merged in and includes spliced.

    ``targets``, ``sessions`` and ``hosts`` are as written; at most one is set, none means ``local``.
    ``throttle``: None is the default, 0 is unlimited. ``timeout`` in seconds, None is none. ``error_action`` and its
    kin are words of PowerShell in any case. ``stop`` is ``pipeline`` or ``process_tree``. ``remote_debug`` is where it
    is asked for, which a plan refuses. ``order_by`` is a word or an expression. ``quarantine``: a host that takes
    longer than so many seconds (True: much longer than the others) is put aside, so that the others go on. ``lock`` is
    ``run`` or ``target``, ``rerun`` is ``safe``, ``never`` or ``ask``. ``computed`` holds those of
    :data:`runner.playbook.computed.STEP_KEYS` that are templates; a plan computes them.
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
    place: BlockPlace | None = None
    run_once: bool = False
    delegate_to: AnyNode | None = None
    order_by: Scalar | None = None
    read_only: bool = False
    until: tuple[Scalar, ...] = ()
    retry: Retry | None = None
    pools: tuple[PoolUse, ...] = ()
    waves: tuple[Wave, ...] = ()
    health: Condition | None = None
    max_fail: Tolerance | None = None
    max_unreachable: Tolerance | None = None
    any_errors: bool = False
    unreachable: str | Late = "fail"
    quarantine: float | bool = False
    lock: str | None = None
    rerun: str = "ask"
    on_loss: str | None = None
    later: tuple[Later, ...] = ()
    computed: MappingABC[tuple[str, ...], AnyNode] = field(default_factory=dict)


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
    blocks: MappingABC[str, Block] = field(default_factory=dict)
    pools: MappingABC[str, Pool] = field(default_factory=dict)
    max_fail: Tolerance | None = None
    max_unreachable: Tolerance | None = None
    lock: str | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    later: tuple[Later, ...] = ()
    computed: MappingABC[tuple[str, ...], AnyNode] = field(default_factory=dict)
