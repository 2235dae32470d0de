"""What an expression was, as far as the rules of using expressions ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TypeAlias

from runner.using.model import Access, Index, Member
from runner.using.powershell.tokens import words

Scalar: TypeAlias = int | str | float | bool | None


class Unknown(Enum):
    """The value of a constant that only PowerShell can compute."""

    VALUE = auto()


Value: TypeAlias = Scalar | tuple[Scalar, ...] | Unknown


class Form(Enum):
    """Kinds of expressions that differ inside a using expression."""

    VARIABLE = auto()
    MEMBER = auto()
    INDEX = auto()
    OTHER = auto()


@dataclass(slots=True)
class Expression:
    """An expression between two offsets of the text it was read from.

    ``constant`` is what the parser accepts as an index of a using expression, ``value`` what it is. ``using`` are the
    using expressions among what an assignment would assign to.
    """

    start: int
    end: int
    form: Form = Form.OTHER
    constant: bool = False
    value: Value = Unknown.VALUE
    target: Expression | None = None
    access: Access | None = None
    index: Expression | None = None
    word: bool = False
    type_name: str = ""
    using: tuple[Expression, ...] = ()


def offender(expression: Expression) -> Expression | None:
    """The part that PowerShell refuses in a using expression, or None where all of it is allowed."""
    at: Expression | None = expression
    while at is not None and at.form is not Form.VARIABLE:
        if at.form is Form.INDEX and at.index is not None and not at.index.constant:
            return at.index
        if at.form is Form.OTHER:
            return at
        at = at.target
    return None


def chain(expression: Expression) -> tuple[Access, ...]:
    """The accesses after the variable, in order; of what is no constant there is a placeholder."""
    accesses: list[Access] = []
    at: Expression | None = expression
    while at is not None and at.form is not Form.VARIABLE:
        if at.access is not None:
            accesses.append(at.access)
        at = at.target
    return tuple(reversed(accesses))


def unknown_index(expression: Expression) -> Expression | None:
    """The first constant index from the end whose value only PowerShell can compute, or None."""
    at: Expression | None = expression
    while at is not None:
        if at.index is not None and at.index.value is Unknown.VALUE:
            return at.index
        at = at.target
    return None


def member(target: Expression, name: Expression | None, end: int, *, call: bool) -> Expression:
    """``target.name``, or with ``call`` its invocation, which no using expression may hold."""
    constant_name = name is not None and name.word and isinstance(name.value, str)
    access = Member(name.value) if name is not None and isinstance(name.value, str) else Member("")
    static = bool(target.type_name)
    form = Form.MEMBER if constant_name and not call else Form.OTHER
    return Expression(
        target.start, end, form, constant=static and constant_name and not call, target=target, access=access
    )


def element(target: Expression, index: Expression, end: int) -> Expression:
    """``target[index]``."""
    value = index.value
    access = Index(None if isinstance(value, Unknown) else value)
    return Expression(target.start, end, Form.INDEX, target=target, access=access, index=index)


def array(items: list[Expression]) -> Expression:
    """``a, b``: constant where all its items are."""
    values: list[Scalar] = []
    known = True
    for item in items:
        if isinstance(item.value, tuple | Unknown):
            known = False
        else:
            values.append(item.value)
    return Expression(
        items[0].start,
        items[-1].end,
        constant=all(item.constant for item in items),
        value=tuple(values) if known else Unknown.VALUE,
        using=tuple(using for item in items for using in item.using),
    )


Number: TypeAlias = int | float
_ARITHMETIC: Mapping[str, Callable[[Number, Number], Number]] = MappingProxyType(
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
)
_FOLDED = frozenset(["*", "/", "%", "+", "-", "and", "or", "xor", "band", "bor", "bxor", "shl", "shr"])
_BOUND = 2**31
"""Whole numbers beyond change their type in .NET; they are no sensible index."""


def binary(operands: list[Expression], operators: list[str]) -> Expression:
    """Operands joined by operators: constant where all are and the parser folds the operators."""
    constant = all(operand.constant for operand in operands) and all(op in _FOLDED for op in operators)
    value: Value = (
        _joined(operands[0].value, operators[0], operands[1].value) if len(operators) == 1 else Unknown.VALUE
    )
    return Expression(operands[0].start, operands[-1].end, constant=constant, value=value)


def _joined(left: Value, operator: str, right: Value) -> Value:
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    fold = _ARITHMETIC.get(operator)
    if fold is None or not (type(left) is int and type(right) is int):
        return Unknown.VALUE
    value = fold(left, right)
    return value if abs(value) < _BOUND else Unknown.VALUE


def unary(operator: str, start: int, child: Expression) -> Expression:
    """An operator before its operand."""
    value: Value = Unknown.VALUE
    if operator in {"+", "-"} and type(child.value) in {int, float} and isinstance(child.value, int | float):
        value = -child.value if operator == "-" else child.value
    elif operator in {"!", "not"} and isinstance(child.value, bool):
        value = not child.value
    elif operator == "," and not isinstance(child.value, tuple | Unknown):
        value = (child.value,)
    constant = operator in {"+", "-", "!", "not", ","} and child.constant
    return Expression(start, child.end, constant=constant, value=value)


_PRIMITIVES = words(
    "bool boolean byte sbyte char decimal double float single int int16 int32 int64 long short string uint ulong "
    "ushort uint16 uint32 uint64"
)


def converted(type_name: str, start: int, child: Expression) -> Expression:
    """``[type]child``; a conversion keeps a value only where it changes nothing."""
    name = type_name.lower().removeprefix("system.")
    same = (name == "string" and isinstance(child.value, str)) or (
        name in {"int", "int32"} and type(child.value) is int
    )
    return Expression(
        start,
        child.end,
        constant=child.constant and name in _PRIMITIVES,
        value=child.value if same else Unknown.VALUE,
        using=child.using,
    )
