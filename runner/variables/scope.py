"""Variables of a host: layers from low to high precedence, each value with where it came from, computed when asked for.

Values that the plan decides (inventory, playbook, inputs, ``-e``) are computed once a host, in a scope that knows only
them; a step adds registered results, its own ``vars``, the loop item and ``using`` between them, in the order of
language.md, "Precedence".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import Node, Scalar
from runner.document.nodes import Sequence as SequenceNode
from runner.document.positions import span_in_scalar
from runner.errors import RunnerError
from runner.problems import Problem, suggestion
from runner.values import Span
from runner.variables.compile import Compiled, Compiler, EvaluationError, NameUse
from runner.variables.not_known import NOT_KNOWN, NotKnownError


class Defined(Protocol):
    """A variable as somebody wrote it: a node that may hold templates, or a plain value, and where it came from."""

    @property
    def value(self) -> Any:
        """A node of a document, or a plain Python value that is taken as it is."""

    @property
    def source(self) -> str:
        """In words: ``group `web` ``, ``playbook vars``, ``-e`` ..."""

    @property
    def span(self) -> Span | None:
        """The place, where there is one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A plain implementation of :class:`Defined`."""

    value: Any
    source: str
    span: Span | None = None


Layer = Mapping[str, Defined]


class VariableError(RunnerError):
    """A variable or an expression has no value on a host; the span is where the author wrote it."""


class ValueNotKnown(VariableError):
    """It is made of an input that has no value yet; where that is a mistake it is told at the input."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """None: what follows from a missing value is no mistake of its own."""
        return ()


class Scope:
    """Looks names up in layers (low to high) and evaluates what it finds in itself.

    ``specials`` are the reserved names; ``base`` is the scope that decides and keeps names this one does not hold.
    """

    def __init__(
        self,
        compiler: Compiler,
        layers: Sequence[Layer],
        *,
        specials: Mapping[str, Callable[[], Any]] | None = None,
        base: Scope | None = None,
        strong: frozenset[str] = frozenset(),
    ) -> None:
        self._compiler = compiler
        self._layers = tuple(layers)
        self._specials = specials or {}
        self._base = base
        self.strong = strong  # names whose value here beats the layers of a child (inputs, -e)
        self._values: dict[str, Any] = {}
        self._computing: list[str] = []

    def child(self, layers: Sequence[Layer], specials: Mapping[str, Callable[[], Any]]) -> Scope:
        """A scope for a step: its ``layers`` stand above this one's, but below inputs and ``-e``."""
        return Scope(self._compiler, layers, specials=specials, base=self)

    def knows(self, name: str) -> bool:
        """Whether the name has a value or a definition here."""
        return (
            name in self._values  # looked up before: a host's layers are many
            or name in self._specials
            or any(name in la for la in self._layers)
            or (self._base is not None and self._base.knows(name))
        )

    def defines(self, name: str) -> bool:
        """Whether a layer defines the name (reserved names are not defined, they are given)."""
        return any(name in layer for layer in self._layers) or (
            self._base is not None and self._base.defines(name)
        )

    def names(self) -> Iterator[str]:
        """Every name known here, for did-you-mean."""
        yield from self._specials
        for layer in self._layers:
            yield from layer
        if self._base is not None:
            yield from self._base.names()

    def origins(self, name: str) -> list[Defined]:
        """Every definition of the name, the one that counts first."""
        own = [layer[name] for layer in reversed(self._layers) if name in layer]
        below = self._base.origins(name) if self._base is not None else []
        return below + own if self._yields(name) else own + below

    def lookup(self, name: str) -> Any:
        """The value of a variable.

        Raises:
            VariableError: unknown, defined in terms of itself, or its template fails.

        """
        if name in self._values:
            return self._values[name]
        if name in self._specials:
            return self._specials[name]()
        defined = None if self._yields(name) else self._own(name)
        if defined is None:
            if self._base is not None:
                return self._base.lookup(name)
            raise VariableError(
                "unknown-variable", f"`{name}` is not defined", hints=suggestion(name, self.names())
            )
        if name in self._computing:
            circle = " -> ".join(f"`{n}`" for n in [*self._computing[self._computing.index(name) :], name])
            raise VariableError(
                "variable-cycle", f"variables are defined by each other: {circle}", defined.span
            )
        self._computing.append(name)
        try:
            if defined.value is NOT_KNOWN:
                raise ValueNotKnown("input-missing", f"{defined.source} has no value yet", defined.span)
            value = self._values[name] = self.render(defined.value)
        finally:
            self._computing.pop()
        return value

    def _yields(self, name: str) -> bool:
        return self._base is not None and name in self._base.strong

    def _own(self, name: str) -> Defined | None:
        return next((layer[name] for layer in reversed(self._layers) if name in layer), None)

    def render(self, value: Any) -> Any:
        """A node with all its templates evaluated, as plain values; what is no node comes back as it is.

        Raises:
            VariableError: at the scalar whose template fails.

        """
        if not isinstance(value, Node):
            return value
        if isinstance(value, Scalar):
            if not isinstance(value.value, str):
                return value.value
            return self._evaluate(self._compiler.text(value.text), value)
        if isinstance(value, SequenceNode):
            return [self.render(item) for item in value.items]
        if isinstance(value, MappingNode):
            return {key: self.render(item) for key, item in value.items()}
        return value

    def evaluate(self, expression: Scalar) -> Any:
        """The value of an expression (``when``, ``failed_when`` ...); a scalar that is no text is its own value.

        Raises:
            VariableError: at the expression.

        """
        if not isinstance(expression.value, str):
            return expression.value
        return self._evaluate(self._compiler.expression(expression.text), expression)

    def holds(self, expressions: Sequence[Scalar]) -> bool:
        """Whether all expressions are true."""
        return all(self.evaluate(expression) for expression in expressions)

    def _evaluate(self, compiled: Compiled, scalar: Scalar) -> Any:
        variables = {
            use.name: self._of_use(use, scalar)
            for use in compiled.names
            if not use.guarded or self.knows(use.name)
        }
        try:
            return compiled.evaluate(variables)
        except NotKnownError as error:
            raise ValueNotKnown("input-missing", "an input has no value yet", scalar.span) from error
        except EvaluationError as error:
            raise VariableError(
                "evaluation-failed", f"`{_shortened(scalar.text)}`: {error}", scalar.span
            ) from error

    def _of_use(self, use: NameUse, scalar: Scalar) -> Any:
        try:
            return self.lookup(use.name)
        except VariableError as error:
            if error.span is None:  # nobody wrote it anywhere: the place is where it is read
                error.span = span_in_scalar(scalar, use.start, use.end)
            raise


def _shortened(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class HostScopes:
    """The plan-time scope of every host, made when first asked for and kept.

    ``layers_of`` gives a host's inventory layers (low to high); the others are the same for all hosts.
    """

    def __init__(
        self,
        compiler: Compiler,
        *,
        layers_of: Callable[[str], Sequence[Layer]],
        playbook: Layer,
        inputs: Layer,
        extras: Layer,
        specials_of: Callable[[str], Mapping[str, Callable[[], Any]]],
        common_specials: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._common_specials = common_specials or {}
        self.compiler = compiler
        self._layers_of = layers_of
        self._shared: tuple[Layer, ...] = (playbook, inputs, extras)
        self._strong = frozenset(inputs) | frozenset(extras)
        self._specials_of = specials_of
        self._scopes: dict[str, Scope] = {}

    @property
    def common(self) -> Scope:
        """What is the same for all hosts: playbook vars, inputs and ``-e``."""
        return Scope(self.compiler, self._shared, specials=self._common_specials, strong=self._strong)

    def of(self, host: str) -> Scope:
        """The plan-time scope of a host."""
        scope = self._scopes.get(host)
        if scope is None:
            layers = (*self._layers_of(host), *self._shared)
            specials = self._specials_of(host)
            scope = self._scopes[host] = Scope(self.compiler, layers, specials=specials, strong=self._strong)
        return scope

    def lookup(self, host: str, name: str) -> Any:
        """The value of a plan-time variable on a host.

        Raises:
            VariableError: unknown there, or it cannot be computed.

        """
        return self.of(host).lookup(name)
