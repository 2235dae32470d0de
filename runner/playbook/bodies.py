"""What a step does: its body as values, templates left as nodes (see :mod:`runner.playbook.model`)."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import TypeAlias

from runner.document.nodes import AnyNode, Mapping, Scalar, Source
from runner.using.model import Shell
from runner.values import Span


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
class EnsureBody:
    """``ensure``: ``test`` says whether it is so, ``set`` makes it so, then ``test`` runs again."""

    test: tuple[ScriptText, ...]
    set: tuple[ScriptText, ...]


@dataclass(frozen=True, slots=True)
class SetVarsBody:
    """``set_vars``: values for the host's later steps."""

    variables: MappingABC[str, AnyNode]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpBody:
    """``http``: a request from the controller. ``statuses`` are ranges, both ends included; ``timeout`` in seconds."""

    url: AnyNode
    method: str = "GET"
    headers: AnyNode | None = None
    json: AnyNode | None = None
    body: AnyNode | None = None
    statuses: tuple[tuple[int, int], ...] = ((200, 299),)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class FailBody:
    """``fail``: the host fails with this message."""

    message: AnyNode


@dataclass(frozen=True, slots=True)
class Condition:
    """Expressions that must all hold, or a script that must succeed (``shell`` None: the host's)."""

    expressions: tuple[Scalar, ...] = ()
    scripts: tuple[ScriptText, ...] = ()
    shell: Shell | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateBody:
    """``gate``: wait until somebody approves, or until ``that`` holds. ``timeout`` in seconds, None is for ever.

    ``default`` None: nothing is said of what happens where nobody answers or nobody can be asked; then it is stop.
    """

    message: AnyNode | None = None
    that: Condition | None = None
    timeout: float | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForBody:
    """``wait_for``: one of ``port``, ``path``, ``url``, ``that``. Times in seconds; ``origin`` says who looks.

    The controller looks, unless somebody says ``from: host``; for a path that is the other way round, as a path of the
    controller is seldom meant.
    """

    port: AnyNode | None = None
    path: AnyNode | None = None
    url: AnyNode | None = None
    that: Condition | None = None
    status: tuple[int, int] = (200, 200)
    timeout: float = 300.0
    interval: float = 1.0
    origin: str = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootBody:
    """``reboot``: restart, wait until the host is gone and back, then until ``test`` passes. ``timeout`` in seconds."""

    timeout: float = 600.0
    test: tuple[ScriptText, ...] = ()
    message: AnyNode | None = None


@dataclass(frozen=True, slots=True)
class LaterBody:
    """A body of the language that this version does not run; refused at plan time by name."""

    key: str
    span: Span


Body: TypeAlias = (
    ScriptBody
    | CommandBody
    | CopyBody
    | FetchBody
    | AssertBody
    | EnsureBody
    | SetVarsBody
    | HttpBody
    | FailBody
    | GateBody
    | WaitForBody
    | RebootBody
    | LaterBody
)
