"""PowerShell's expressions: operators, members, indexes, literals, and the using expressions among them."""

from __future__ import annotations

import re
from abc import abstractmethod

from runner.using.powershell.nodes import (
    Expression,
    Value,
    array,
    binary,
    converted,
    element,
    member,
    unary,
)
from runner.using.powershell.references import References
from runner.using.powershell.tokens import (
    BINARY_MARKS,
    BINARY_WORDS,
    UNARY_MARKS,
    UNARY_WORDS,
    Kind,
    Mode,
    Token,
)

_GENERIC_ARGUMENTS = re.compile(r"\[\s*[^\W\d][\w.`+#\\,\s\[\]]*\](?=[({])")


class Expressions(References):
    """The rules of expressions; statements inside them are the subclass's."""

    @abstractmethod
    def parenthesized(self) -> Expression | None:
        """Read the pipeline of ``(...)``."""

    @abstractmethod
    def statements(self, close: str) -> Expression | None:
        """Read statements to the end or to ``close``; the expression where they are one alone."""

    @abstractmethod
    def script_block(self, opening: Token) -> Expression:
        """Read a script block from after its brace."""

    @abstractmethod
    def hash_table(self, opening: Token) -> Expression:
        """Read a hash table from after ``@{``."""

    @abstractmethod
    def attribute(self) -> tuple[Token, str, int, bool] | None:
        """Read ``[type]`` or ``[attribute(...)]``: its bracket, name, end, and whether it has arguments."""

    @abstractmethod
    def single_argument(self) -> Expression | None:
        """Read one argument of a command."""

    def expression(self, *, ternary: bool = False) -> Expression | None:
        """Read an expression, or nothing where none begins."""
        with self.mode(Mode.EXPRESSION):
            condition = self._binary(ternary=ternary)
            if condition is None or not self.accept("?"):
                return condition
            self.skip_newlines()
            branches = [condition, self.expression(ternary=True)]
            self.skip_newlines()
            if self.accept(":"):
                self.skip_newlines()
                branches.append(self.expression(ternary=True))
            constant = all(branch is not None and branch.constant for branch in branches)
            return Expression(condition.start, self.offset, constant=constant)

    def _binary(self, *, ternary: bool) -> Expression | None:
        first = self._array(ternary=ternary)
        if first is None:
            return None
        operands, operators = [first], []
        while self._is_binary(self.peek()):
            operator = self.next()
            self.skip_newlines()
            operand = self._array(ternary=True)
            operators.append(operator.text)
            operands.append(operand or Expression(operator.end, operator.end))
        if self.peek().kind is Kind.PARAMETER:
            self.next()  # `$a -foo` is an error; the parser goes on after it
        return binary(operands, operators) if operators else first

    @staticmethod
    def _is_binary(token: Token) -> bool:
        if token.kind is Kind.OPERATOR:
            return token.text in BINARY_WORDS
        return token.kind is Kind.PUNCTUATION and token.text in BINARY_MARKS

    def _array(self, *, ternary: bool) -> Expression | None:
        first = self.unary(ternary=ternary)
        if first is None or self.no_comma or not self.peek().is_mark(","):
            return first
        items = [first]
        while self.accept(","):
            self.skip_newlines()
            item = self.unary(ternary=True)
            if item is None:
                items.append(Expression(first.end, self.offset))
                break
            items.append(item)
        return array(items)

    def unary(self, *, ternary: bool = False) -> Expression | None:
        """Read operators before an operand, casts, and the operand with what is glued to it."""
        with self.nested():
            token = self._peek_operand(ternary=ternary)
            if self._is_unary(token):
                if self.no_comma and token.text == ",":
                    return None
                expression = self._operator_first(self.next())
            elif token.is_mark("["):
                found = self._typed()
                if found is None:
                    return None
                expression = found
            else:
                primary = self.primary()
                if primary is None:
                    return None
                expression = primary
            if self.accept("++", "--"):
                self.assigned(expression)
                return Expression(expression.start, self.offset)
            return expression

    def _peek_operand(self, *, ternary: bool) -> Token:
        """The next token, where a sign belongs to its number."""
        tokenizer = self.tokenizer
        signed, loose = tokenizer.signed_numbers, tokenizer.ternary
        tokenizer.signed_numbers, tokenizer.ternary = True, ternary
        if self.looked_ahead:
            token = self.peek()
            if token.is_mark("-", "+") or (ternary and token.kind is Kind.WORD):
                self.resync(token.start)
        token = self.peek()
        tokenizer.signed_numbers, tokenizer.ternary = signed, loose
        return token

    @staticmethod
    def _is_unary(token: Token) -> bool:
        if token.kind is Kind.OPERATOR:
            return token.text in UNARY_WORDS
        return token.kind is Kind.PUNCTUATION and token.text in UNARY_MARKS

    def _operator_first(self, operator: Token) -> Expression:
        self.skip_newlines()
        child = self.unary(ternary=True)
        if child is None:
            return Expression(operator.start, operator.end)
        if operator.text in {"++", "--"}:
            self.assigned(child)
        return unary(operator.text, operator.start, child)

    def _typed(self) -> Expression | None:
        """Read casts or attributes before an operand, or a type by itself."""
        found: list[tuple[Token, str, int, bool]] = []
        while attribute := self.attribute():
            found.append(attribute)
            if attribute[3]:
                self.skip_newlines()
        if not found:
            return None
        bracket, name, end, arguments = found[-1]
        child: Expression | None
        if arguments:
            self.skip_newlines()
            child = self.unary(ternary=True)
            return Expression(
                found[0][0].start, child.end if child else end, using=child.using if child else ()
            )
        type_literal = Expression(bracket.start, end, constant=True, type_name=name)
        operator = None if self.looked_ahead else self.tokenizer.member_operator(bracket=False)
        if operator is not None:
            child = self._glued(type_literal, operator)
        elif self.peek().kind is Kind.NEWLINE or self.peek().is_mark(","):
            child = type_literal
        else:
            operand = self.unary(ternary=True)
            child = converted(name, bracket.start, operand) if operand else type_literal
        for bracket, name, _, has_arguments in reversed(found[:-1]):
            child = child if has_arguments else converted(name, bracket.start, child)
        return child

    def primary(self, *, members: bool = True) -> Expression | None:
        """Read a value, with ``members`` also the accesses glued to it; None, nothing read, where there is none."""
        token = self.next()
        expression = self._value(token, members=members)
        if expression is None:
            self.back(token)
            return None
        return self.accesses(expression) if members else expression

    def accesses(self, expression: Expression) -> Expression:
        """Read the members and indexes glued to an expression."""
        operator = None if self.looked_ahead else self.tokenizer.member_operator()
        return expression if operator is None else self._glued(expression, operator)

    def _value(self, token: Token, *, members: bool) -> Expression | None:
        if token.kind is Kind.VARIABLE and token.variable is not None:
            return self.variable(token.variable, members=members)
        if token.kind is Kind.NUMBER:
            value: Value = token.value
            known = Expression(token.start, token.end, constant=True)
            if token.value is not None:
                known.value = value
            return known
        if token.kind is Kind.STRING:
            return self.string(token)
        if token.is_mark("("):
            inner = self.parenthesized()
            return self._wrapped(token, inner)
        if token.is_mark("$(", "@("):
            inner = self.statements(")")
            return self._wrapped(token, inner if token.text == "$(" else None)
        if token.is_mark("@{"):
            return self.hash_table(token)
        if token.is_mark("{"):
            return self.script_block(token)
        return None

    def _wrapped(self, token: Token, inner: Expression | None) -> Expression:
        wrapped = Expression(token.start, self.offset)
        if inner is not None and inner.constant:
            wrapped.constant, wrapped.value = True, inner.value
        return wrapped

    def _glued(self, expression: Expression, operator: Token | None) -> Expression:
        while operator is not None:
            self.skip_newlines()
            if operator.text in {"[", "?["}:
                expression = self._element(expression, operator)
            else:
                expression = self._member(expression)
            operator = None if self.looked_ahead else self.tokenizer.member_operator()
        return expression

    def _member(self, target: Expression) -> Expression:
        name = self._member_name()
        if name is None:
            argument = self.single_argument()
            return member(target, argument, argument.end if argument else self.offset, call=False)
        if self.looked_ahead:
            return member(target, name, name.end, call=False)
        generic = _GENERIC_ARGUMENTS.match(self.source.text, self.tokenizer.at)
        if generic:
            self.tokenizer.at = generic.end()
        opening = self.tokenizer.open_call()
        if opening is None:
            return member(target, name, name.end, call=False)
        if opening.text == "{":
            self.skip_newlines()
            end = self.script_block(opening).end
        else:
            end = self.call_arguments()
        return member(target, name, end, call=True)

    def _member_name(self) -> Expression | None:
        name = self.simple_name()
        if name is not None:
            return Expression(name.start, name.end, constant=True, value=name.text, word=True)
        if self._is_unary(self.peek()) or self.peek().is_mark("["):
            return self.unary()
        return self.primary(members=False)

    def simple_name(self) -> Token | None:
        """Take an identifier that may be a keyword as well."""
        self.tokenizer.simple_name = True
        token = self.peek()
        self.tokenizer.simple_name = False
        return self.next() if token.kind is Kind.IDENTIFIER else None

    def call_arguments(self) -> int:
        """Read the arguments of a call; the end of its parenthesis."""
        with self.commas(separate=True):
            while True:
                self.skip_newlines()
                if self.expression() is None:
                    break
                self.skip_newlines()
                if not self.accept(","):
                    break
            self.skip_newlines()
            close = self.accept(")")
        return close.end if close else self.offset

    def _element(self, target: Expression, bracket: Token) -> Expression:
        self.skip_newlines()
        with self.commas(separate=False):
            index = self.expression() or Expression(bracket.start, bracket.end)
        self.skip_newlines()
        close = self.accept("]")
        return element(target, index, close.end if close else index.end)
