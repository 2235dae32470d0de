"""Template text to something that can be evaluated: parsed once, its names known, its mistakes with offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.runtime import Undefined

from runner.problems import suggestion
from runner.using.model import ScriptProblem
from runner.variables.environment import LanguageEnvironment
from runner.variables.not_known import NotKnownError
from runner.variables.words import hint_of, in_our_words

_LEXER_OFFSET = re.compile(r" at (\d+)$")
_OUTER_BRACES = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NameUse:
    """A variable that a template reads, and where its name stands in the text."""

    name: str
    start: int
    end: int
    guarded: bool = False  # `x is defined` and `x | default(...)` may read what is not there


@dataclass(frozen=True, slots=True)
class MemberUse:
    """``results.N`` and ``inputs.x``: a constant member of a reserved name, and where the member stands."""

    owner: str
    member: str
    start: int
    end: int
    guarded: bool = False  # as of names: `x.y is defined` and `x.y | default(...)`


class EvaluationError(Exception):
    """A template could not be evaluated; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template or an expression, ready to evaluate.

    ``names`` are the variables it reads, ``native`` says that the value keeps its type (a lone ``{{ }}`` or an
    expression), ``literal`` that there is nothing to evaluate: the text is the value.
    """

    text: str
    names: tuple[NameUse, ...] = ()
    members: tuple[MemberUse, ...] = ()
    problems: tuple[ScriptProblem, ...] = ()
    literal: bool = False
    _expression: TemplateExpression | None = None
    _template: Any = None

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value under ``variables``, which must hold what :attr:`names` asks for.

        Raises:
            EvaluationError: undefined, a wrong type, a refused operation.
            NotKnownError: it asks for an input that has no value yet.

        """
        if self.literal:
            return self.text
        if self.problems:
            raise EvaluationError(self.problems[0].message)
        try:
            if self._expression is not None:
                value = self._expression(**variables)
                if isinstance(value, Undefined):
                    str(value)  # StrictUndefined raises with its own words
                return value
            return self._template.render(**variables)
        except NotKnownError:
            raise
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise EvaluationError(_words(error)) from error


def _words(error: Exception) -> str:
    return in_our_words(str(error) or type(error).__name__)


class Compiler:
    """Compiles texts of one playbook; keeps what it compiled, so that a text is parsed once for all hosts."""

    def __init__(self, environment: LanguageEnvironment) -> None:
        self._environment = environment
        self._texts: dict[tuple[str, bool], Compiled] = {}

    def text(self, text: str) -> Compiled:
        """A text value: a lone ``{{ }}`` keeps its type, anything mixed is text, without braces it is itself."""
        if "{{" not in text and "{%" not in text and "{#" not in text:
            return Compiled(text, literal=True)
        return self._remember(text, expression=False)

    def expression(self, text: str) -> Compiled:
        """An expression (``when`` and its kin); may stand in one outer ``{{ }}``."""
        return self._remember(text, expression=True)

    def _remember(self, text: str, *, expression: bool) -> Compiled:
        key = (text, expression)
        compiled = self._texts.get(key)
        if compiled is None:
            compiled = self._texts[key] = self._compile(text, expression=expression)
        return compiled

    def _compile(self, text: str, *, expression: bool) -> Compiled:
        environment, source, shift = self._environment, text, 0
        braces = _OUTER_BRACES.fullmatch(text) if expression else None
        if braces is not None and "{{" not in braces[1]:
            source, shift = braces[1], braces.start(1)
        try:
            if expression:
                tree = self._parse_expression(source)
            else:
                tree = Parser(environment, source).parse()
                tree = _lone_expression(tree) or tree
        except TemplateSyntaxError as error:
            return Compiled(text, problems=(self._syntax_problem(text, source, shift, error),))
        tree.set_environment(environment)
        tokens = list(environment.tokens)
        problems = tuple(_unknown_callables(environment, tree, tokens, shift))
        if problems:
            return Compiled(text, problems=problems)
        names = tuple(_name_uses(environment, tree, tokens, shift))
        members = tuple(_member_uses(tree, tokens, shift))
        try:
            template = environment.from_string(tree)
        except TemplateError as error:
            return Compiled(text, names, members, (_problem(_words(error), 0, len(text)),))
        if _is_assignment(tree):
            return Compiled(text, names, members, _expression=TemplateExpression(template, False))
        return Compiled(text, names, members, _template=template)

    def _parse_expression(self, source: str) -> nodes.Template:
        parser = Parser(self._environment, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(
                "more text after the end of the expression", parser.stream.current.lineno
            )
        return _assignment(expression)

    def _syntax_problem(
        self, text: str, source: str, shift: int, error: TemplateSyntaxError
    ) -> ScriptProblem:
        message = (error.message or "cannot be read").rstrip(".")
        tokens = [t for t in self._environment.tokens if t[1] not in {"whitespace", "data"}]
        start, _, token = tokens[-1] if tokens else (0, "", source)
        stumbled = _LEXER_OFFSET.search(message)
        if stumbled is not None:  # the lexer's own errors know their offset, and come before there is a token
            start, token, message = int(stumbled[1]), "", message[: stumbled.start()]
        opened = next((t for t in reversed(tokens) if t[1] in {"variable_begin", "block_begin"}), None)
        if opened is not None and "nd of template" in message:  # it ends too early: the place is what is open
            start, _, token = opened
        start = min(start + shift, max(len(text) - 1, 0))
        end = min(start + max(len(token), 1), len(text))
        return _problem(in_our_words(message), start, end, *hint_of(message, token))


def _problem(words: str, start: int, end: int, *hints: str) -> ScriptProblem:
    return ScriptProblem(
        "template-syntax", f"the expression cannot be read: {words}", start, end, hints=hints
    )


def _assignment(expression: nodes.Expr) -> nodes.Template:
    # The way Environment.compile_expression keeps native types: assign, then read the variable back.
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
    return nodes.Template(body, lineno=1)


def _is_assignment(tree: nodes.Template) -> bool:
    return len(tree.body) == 1 and isinstance(tree.body[0], nodes.Assign)


def _lone_expression(tree: nodes.Template) -> nodes.Template | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = [
        part
        for part in tree.body[0].nodes
        if not (isinstance(part, nodes.TemplateData) and not part.data.strip())
    ]
    if len(parts) != 1 or isinstance(parts[0], nodes.TemplateData):
        return None
    return _assignment(parts[0])


def _guarded_names(tree: nodes.Template) -> set[str]:
    return {node.name for node in _guarded(tree) if isinstance(node, nodes.Name)}


def _guarded(tree: nodes.Template) -> Iterator[nodes.Expr | None]:
    """What is asked whether it is there, or has a value to stand for it."""
    yield from (test.node for test in tree.find_all(nodes.Test) if test.name in {"defined", "undefined"})
    yield from (part.node for part in tree.find_all(nodes.Filter) if part.name in {"default", "d"})


def _name_uses(
    environment: LanguageEnvironment, tree: nodes.Template, tokens: list[tuple[int, str, str]], shift: int
) -> Iterator[NameUse]:
    wanted = find_undeclared_variables(tree) - set(environment.globals)
    guarded = _guarded_names(tree)
    previous = ""
    for offset, kind, text in tokens:
        if kind == "whitespace":
            continue
        if kind == "name" and text in wanted and previous not in {".", "|"}:
            yield NameUse(text, offset + shift, offset + shift + len(text), text in guarded)
        previous = text


def _member_uses(tree: nodes.Template, tokens: list[tuple[int, str, str]], shift: int) -> Iterator[MemberUse]:
    solid = [token for token in tokens if token[1] != "whitespace"]
    constant = {_constant(part) for part in tree.find_all((nodes.Getattr, nodes.Getitem))}
    guarded = {_constant(part) for part in _guarded(tree)}
    for index, (_, kind, text) in enumerate(solid[:-2]):
        if kind != "name" or solid[index + 1][2] not in {".", "["}:
            continue
        offset, _, raw = solid[index + 2]
        member = raw.strip("'\"")
        if (text, member) in constant:
            start = offset + shift
            yield MemberUse(text, member, start, start + len(raw), (text, member) in guarded)


def _constant(part: nodes.Node | None) -> tuple[str, object] | None:
    """The name and the member of ``name.member`` and ``name['member']``; None for anything else."""
    if not isinstance(part, nodes.Getattr | nodes.Getitem) or not isinstance(part.node, nodes.Name):
        return None
    if isinstance(part, nodes.Getattr):
        return part.node.name, part.attr
    return (part.node.name, part.arg.value) if isinstance(part.arg, nodes.Const) else None


def _unknown_callables(
    environment: LanguageEnvironment, tree: nodes.Template, tokens: list[tuple[int, str, str]], shift: int
) -> Iterator[ScriptProblem]:
    known: dict[str, Any]
    for code, known, found in (
        ("unknown-filter", environment.filters, tree.find_all(nodes.Filter)),
        ("unknown-test", environment.tests, tree.find_all(nodes.Test)),
    ):
        for part in found:
            if part.name in known:
                continue
            offset = next((o for o, k, t in tokens if k == "name" and t == part.name), 0) + shift
            message = f"{code.replace('-', ' ')} `{part.name}`"
            yield ScriptProblem(
                code,
                message,
                offset,
                offset + len(part.name),
                hints=suggestion(part.name, known),
            )
