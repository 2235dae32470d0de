"""Where PowerShell's variables become using expressions, and what is refused in them."""

from __future__ import annotations

from abc import abstractmethod
from types import MappingProxyType

from runner.using.model import ScriptProblem
from runner.using.powershell.nodes import Expression, Form, Value, chain, offender, unknown_index
from runner.using.powershell.parser import Parser
from runner.using.powershell.tokens import Subexpression, Token, Variable

_CONSTANTS: MappingProxyType[str, Value] = MappingProxyType({"true": True, "false": False, "null": None})


def using_name(variable: Variable) -> str | None:
    """The name after the drive ``using``, which may be empty; None for any other variable."""
    drive, colon, name = variable.name.partition(":")
    return name if colon and drive.lower() == "using" else None


class References(Parser):
    """The rules of variables and of strings that expand them."""

    @abstractmethod
    def accesses(self, expression: Expression) -> Expression:
        """Read the members and indexes glued to an expression."""

    @abstractmethod
    def inside(self, source: Subexpression) -> None:
        """Read ``$(...)`` in a string."""

    def string(self, token: Token) -> Expression:
        """What a string or word is once the expansions in it are read."""
        self.expansions(token)
        if token.nested:
            return Expression(token.start, token.end)
        return Expression(token.start, token.end, constant=True, value=token.text, word=True)

    def expansions(self, token: Token) -> None:
        """Read the variables and subexpressions of a string or word."""
        for nested in token.nested:
            if isinstance(nested, Variable):
                self.variable(nested, members=False)
            else:
                self.inside(nested)

    def variable(self, variable: Variable, *, members: bool) -> Expression:
        """What a variable is: the using expression where it is one, with its chain where ``members`` allows it."""
        plain = Expression(variable.start, variable.end, Form.VARIABLE)
        name = using_name(variable)
        if name == "":
            self._without_name(plain)
        elif name is not None:
            if name.lower() in _CONSTANTS:
                plain.constant, plain.value = True, _CONSTANTS[name.lower()]
            whole = self.accesses(plain) if members else plain
            return self._using(name, whole, splat=variable.splat)
        if variable.name.lower() in _CONSTANTS:
            plain.constant, plain.value = True, _CONSTANTS[variable.name.lower()]
        plain.form = Form.OTHER
        return plain

    def _using(self, name: str, whole: Expression, *, splat: bool) -> Expression:
        start, end = self.place(whole)
        self.findings.reference(name, chain(whole), start, end, splat=splat)
        refused = offender(whole)
        if refused is not None:
            self._refuse(whole, refused)
        else:
            self._require_value(whole)
        result = Expression(whole.start, whole.end, constant=whole.constant, value=whole.value)
        result.using = (result,)
        return result

    def _refuse(self, whole: Expression, part: Expression) -> None:
        text, variable = self._written(whole), self._written(self._root(whole))
        bad = f"`{self._written(part)}` in `{text}`" if self.place(part) != self.place(whole) else f"`{text}`"
        message = f"{bad} is not allowed: a using expression holds only members and constant indexes"
        hint = f"end the expression with parentheses: `({variable}){text[len(variable) :]}`"
        self.findings.invalid(message, *self.place(part), hint)

    def _require_value(self, whole: Expression) -> None:
        index = unknown_index(whole)
        if index is not None:
            message = (
                f"the index `{self._written(index)}` in `{self._written(whole)}` is known to PowerShell only"
            )
            hints = ("write the number or the text itself",)
            problem = ScriptProblem("using-index-not-plain", message, *self.place(index), hints=hints)
            self.findings.problem(problem)

    def _written(self, expression: Expression) -> str:
        start, end = self.place(expression)
        return self.findings.script[start:end]

    @staticmethod
    def _root(expression: Expression) -> Expression:
        while expression.target is not None:
            expression = expression.target
        return expression

    def _without_name(self, expression: Expression) -> None:
        message = f"`{self._written(expression)}` has no name after the colon"
        hints = ("write `${using}:` where a variable of the script followed by a colon is meant",)
        self.findings.problem(
            ScriptProblem("using-without-name", message, *self.place(expression), hints=hints)
        )

    def loop_variable(self, variable: Variable) -> None:
        """Refuse a using expression as the variable of ``foreach``; the engine takes it for none."""
        if using_name(variable):
            expression = Expression(variable.start, variable.end)
            expression.using = (expression,)
            self.assigned(expression)

    def assigned(self, expression: Expression) -> None:
        """Refuse the using expressions among what something is assigned to."""
        for using in expression.using:
            start, end = self.place(using)
            message = f"`{self.findings.script[start:end]}` is a value that cannot be assigned to"
            hints = ("take a variable of the script: `$value = $using:name`",)
            self.findings.problem(ScriptProblem("using-assigned", message, start, end, hints=hints))
