"""What a step reads: every text of it that may hold a template, every expression, every ``$Using:`` reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import Scalar
from runner.document.nodes import Sequence as SequenceNode
from runner.document.positions import span_in_scalar
from runner.playbook.bodies import (
    AssertBody,
    CommandBody,
    Condition,
    CopyBody,
    FailBody,
    FetchBody,
    GateBody,
    HttpBody,
    RebootBody,
    ScriptBody,
    SetVarsBody,
    WaitForBody,
)
from runner.playbook.model import Step
from runner.using.model import Member, UsingReference
from runner.values import Span
from runner.variables.compile import Compiled, Compiler


@dataclass(frozen=True, slots=True)
class Use:
    """A name that a step reads.

    ``member`` is the constant first member (``results.events``), where the name has one; ``shown`` is how the author
    wrote it; ``using`` says that it is a ``$Using:`` reference; ``own_result`` that ``result`` is known at this place.
    ``hints`` are told beside those for an unknown name.
    """

    name: str
    member: str | None
    shown: str
    span: Span
    member_span: Span | None = None
    guarded: bool = False
    using: bool = False
    own_result: bool = False
    hints: tuple[str, ...] = ()
    member_guarded: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar of a step that is evaluated; ``expression`` says how."""

    scalar: Scalar
    expression: bool = False
    own_result: bool = False


def texts_of(step: Step) -> Iterator[Text]:
    """Every scalar of a step that is evaluated for a host."""
    for scalar in step.when:
        yield Text(scalar, expression=True)
    asked = step.retry.that if step.retry is not None else ()
    for scalar in (*step.failed_when, *step.changed_when, *step.until, *asked):
        yield Text(scalar, expression=True, own_result=True)
    if isinstance(step.ignore_errors, Scalar):
        yield Text(step.ignore_errors, expression=True, own_result=True)
    if step.loop is not None:
        if isinstance(step.loop.over, Scalar):
            yield Text(step.loop.over, expression=True)
        else:
            yield from scalars_of_node(step.loop.over)
    nodes = [
        *(step.args, step.parameters, step.input_object, step.environment, step.working_directory),
        *(step.strict_mode, step.verbose, step.debug),
        *step.variables.values(),
        *step.using.values(),
    ]
    for node in nodes:
        yield from scalars_of_node(node)
    yield from _texts_of_body(step)


def _texts_of_body(step: Step) -> Iterator[Text]:
    body = step.body
    match body:
        case AssertBody():
            yield from _expressions(body.that)
            yield from scalars_of_node(body.message)
        case CommandBody():
            for item in body.items:
                yield from _texts_of_nodes(item.name, item.args, item.parameters)
        case CopyBody() | FetchBody():
            yield from _texts_of_nodes(*body.node.values())
        case ScriptBody() if step.template:
            for script in body.scripts:
                yield Text(script.as_scalar())
        case SetVarsBody():
            yield from _texts_of_nodes(*body.variables.values())
        case HttpBody():
            yield from _texts_of_nodes(body.url, body.headers, body.json, body.body)
        case GateBody():
            yield from _texts_of_nodes(body.message)
            yield from _texts_of_condition(body.that)
        case WaitForBody():
            yield from _texts_of_nodes(body.port, body.path, body.url)
            yield from _texts_of_condition(body.that)
        case FailBody() | RebootBody():
            yield from _texts_of_nodes(body.message)


def _texts_of_nodes(*nodes: object) -> Iterator[Text]:
    for node in nodes:
        yield from scalars_of_node(node)


def _texts_of_condition(condition: Condition | None) -> Iterator[Text]:
    yield from _expressions(condition.expressions if condition is not None else ())


def _expressions(scalars: Iterable[Scalar]) -> Iterator[Text]:
    for scalar in scalars:
        yield Text(scalar, expression=True)


def scalars_of_node(node: object) -> Iterator[Text]:
    """Every text in a node and below it; none in what is no node."""
    if isinstance(node, Scalar):
        if node.is_text:
            yield Text(node)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from scalars_of_node(item)
    elif isinstance(node, MappingNode):
        for item in node.values():
            yield from scalars_of_node(item)


def compiled_of(compiler: Compiler, text: Text) -> Compiled:
    """The compiled form of a text."""
    if not text.scalar.is_text:
        return Compiled(text.scalar.text, literal=True)
    return compiler.expression(text.scalar.text) if text.expression else compiler.text(text.scalar.text)


def uses_of_text(compiled: Compiled, text: Text) -> Iterator[Use]:
    """The names that a text reads."""
    members = {(use.owner, use.start): use for use in compiled.members}
    for use in compiled.names:
        member = next(
            (m for (owner, start), m in members.items() if owner == use.name and 0 < start - use.end <= 2),
            None,
        )
        yield Use(
            name=use.name,
            member=member.member if member else None,
            shown=f"{use.name}.{member.member}" if member else use.name,
            span=span_in_scalar(text.scalar, use.start, use.end),
            member_span=span_in_scalar(text.scalar, member.start, member.end) if member else None,
            guarded=use.guarded,
            own_result=text.own_result,
            member_guarded=member is not None and member.guarded,
        )


def use_of_reference(reference: UsingReference, span: Span) -> Use:
    """A ``$Using:`` reference as a use."""
    first = reference.chain[0] if reference.chain else None
    member = first.name if isinstance(first, Member) else None
    return Use(reference.name, member, reference.text, span, span, using=True)
