"""Python runs a rewritten script and the same script written by hand, and must do the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.using.model import Member, Shell
from runner.using.rewrite import distinct, rewrite, variable_name
from runner.using.scan import scan

Pair = tuple[str, str]
VALUES: dict[str, Any] = {"a": "te\"x't {}\n", "b": [1, 2, [3]], "c": {"k": "v"}, "d": 7}


def around(before: str, pair: Pair, after: str) -> Pair:
    """The pair between two texts."""
    return before + pair[0] + after, before + pair[1] + after


def both(text: str) -> Pair:
    """Text without a reference."""
    return text, text


references = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.sampled_from([(f"$Using:{name}", name), (f"${{using:{name}}}", name)])
)
plain = st.sampled_from(
    ["1", "'$Using:a'", '"x{1}"', "rb'\\$Using:b'", "[1, 2][0]", "'''it's\n$Using:a'''", "not 1"]
)
literal = st.sampled_from(
    ["x", "{{", "}}", "$", "\\n", "\\\\", "$Using:a ", "#", " : ", "!", "${{Using:x}}", "é"]
)
plain_names = st.sampled_from([("$Using:d", "d"), ("${Using:d}", "d")])


def _formatted(expressions: st.SearchStrategy[Pair], quote: str) -> st.SearchStrategy[Pair]:
    """An f-string; before Python 3.12 its fields held neither its quote nor a backslash nor a comment."""

    def fits(pair: Pair) -> bool:
        return not any(banned in pair[0] for banned in (quote[0], "\\", "#", "\n", "'''", '"""'))

    fields = st.one_of(
        expressions.filter(fits).map(lambda pair: around("{ ", pair, " }")),
        expressions.filter(fits).map(lambda pair: around("{(", pair, ")!r}")),
        references.map(lambda pair: around("{", pair, "!r:>20}")),
        st.tuples(plain_names, plain_names).map(
            lambda names: (f"{{{names[0][0]}:>{{{names[1][0]}}}}}", f"{{{names[0][1]}:>{{{names[1][1]}}}}}")
        ),
    )
    parts = st.lists(st.one_of(literal.map(both), fields), max_size=4)
    return parts.map(
        lambda pairs: around(f"f{quote}", ("".join(p[0] for p in pairs), "".join(p[1] for p in pairs)), quote)
    )


def _compound(expressions: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return st.one_of(
        expressions.map(lambda pair: around("[", pair, ", 2]")),
        expressions.map(lambda pair: around("{'k': ", pair, "}")),
        expressions.map(lambda pair: around("str(", pair, ").upper()")),
        expressions.map(lambda pair: around("(lambda x=", pair, ": x)()")),
        expressions.map(
            lambda pair: around("[y for y in [", pair, "] if y != 0]  # $Using:a { \" ''' \n")
        ).map(lambda pair: around("(", pair, ")")),
        expressions.map(lambda pair: around("(0 if not(", pair, ")else 1)")),
        _formatted(expressions, '"'),
        _formatted(expressions, "'"),
        _formatted(expressions, '"""'),
    )


expressions = st.recursive(st.one_of(references, plain.map(both)), _compound, max_leaves=6)


@given(pair=expressions)
def test_a_reference_is_the_value_wherever_python_reads_code(pair: Pair) -> None:
    """In code, in fields and in format specs a reference is its value; in other text it is text."""
    script, by_hand = pair
    found = scan(script, Shell.PYTHON)
    assert [problem for problem in found.problems if problem.error] == []
    names = {variable_name(n, Shell.PYTHON): VALUES[one.name] for n, one in enumerate(distinct(found))}
    ours = eval(compile(rewrite(script, found, Shell.PYTHON).strip(), "ours", "eval"), names)
    theirs = eval(compile(by_hand.strip(), "theirs", "eval"), dict(VALUES))
    assert ours == theirs


@pytest.mark.parametrize(
    ("script", "name", "chain", "rewritten"),
    [
        ("$Using:a.b", "a", (Member("b"),), "__runner_using_0__"),
        ("$Using:a.b.upper()", "a", (Member("b"),), "__runner_using_0__.upper()"),
        ("$Using:a.upper ()", "a", (), "__runner_using_0__.upper ()"),
        ("($Using:a).b", "a", (), "(__runner_using_0__).b"),
        ("$Using:a[i]", "a", (), "__runner_using_0__[i]"),
        ("$Using:a[0:1]", "a", (), "__runner_using_0__[0:1]"),
        ("${Using:a b}.c", "a b", (Member("c"),), "__runner_using_0__"),
        ("${Using:a.c}", "a", (Member("c"),), "__runner_using_0__"),
        ("x = 1 if$Using:a else 2", "a", (), "x = 1 if __runner_using_0__ else 2"),
        ('f"""{d[\'k\']}{$Using:a:{d}}"""', "a", (), 'f"""{d[\'k\']}{__runner_using_0__:{d}}"""'),
        ('f"{f"{$Using:a}"}"', "a", (), 'f"{f"{__runner_using_0__}"}"'),
        ("f'\\N{DASH}{$Using:a}'", "a", (), "f'\\N{DASH}{__runner_using_0__}'"),
    ],
)
def test_how_far_a_reference_goes(script: str, name: str, chain: tuple[object, ...], rewritten: str) -> None:
    """The chain is the longest run of members and constant indexes; a called member is Python's."""
    found = scan(script, Shell.PYTHON)
    assert [(one.name, one.chain) for one in found.references] == [(name, chain)]
    assert found.problems == ()
    assert rewrite(script, found, Shell.PYTHON) == rewritten


@pytest.mark.parametrize(
    ("script", "code", "error", "marked"),
    [
        ("'$Using:a'", "using-in-quotes", False, "$Using:a"),
        ("f'$Using:a'", "using-in-quotes", False, "$Using:a"),
        ("f'{x:$Using:a}'", "using-in-quotes", False, "$Using:a"),
        ("f'${Using:a}'", "using-in-quotes", False, "${Using:a}"),
        ("$Using:a = 5", "using-assigned", True, "$Using:a"),
        ("$Using:a += 5", "using-assigned", True, "$Using:a"),
        ("x.$Using:a", "invalid-using-expression", True, "$Using:a"),
        ("$Using:", "invalid-using-expression", True, "$Using:"),
        ("${Using:a", "invalid-using-expression", True, "${Using:a"),
    ],
)
def test_what_is_told_of_the_text(script: str, code: str, error: bool, marked: str) -> None:
    """A reference that has no value there, or none at all, is told with its code at its place."""
    [problem] = scan(script, Shell.PYTHON).problems
    assert (problem.code, problem.error) == (code, error)
    assert script[problem.start : problem.end] == marked


@pytest.mark.parametrize("script", ["'\\$Using:a'", "# $Using:a", "x = '$ Using:a'", "f(b=$Using:a == 1)"])
def test_nothing_is_told_where_nothing_is_wrong(script: str) -> None:
    """An escaped dollar sign says that the letters are meant; comments are nothing."""
    assert scan(script, Shell.PYTHON).problems == ()
