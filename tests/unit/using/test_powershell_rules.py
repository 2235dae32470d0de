"""Rules of PowerShell's tokenizer and parser that the recording does not hold, reasoned from its source."""

from __future__ import annotations

import pytest

from runner.using.model import Access, Index, Member, Shell
from runner.using.scan import scan


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # The name of a command is not expanded; after `&` or `.` it is.
        ("a$using:x b", []),
        ("& a$using:x b", ["$using:x"]),
        (". ./a$using:x.ps1", ["$using:x"]),
        # Parameters swallow what is glued to them, up to a quote, a dot or a bracket.
        ('cmd -a"$using:x"', ["$using:x"]),
        ("cmd -a.$using:x.N", ["$using:x.N"]),
        ("cmd \u2013a:$using:x.N", ["$using:x.N"]),
        ("cmd -- -a:$using:x", ["$using:x"]),
        ("cmd -a: $using:x.N, $using:y.N", ["$using:x.N", "$using:y.N"]),
        # Words and numbers.
        ("cmd 1$using:x.a", ["$using:x"]),
        ("cmd a#$using:x", ["$using:x"]),
        ("cmd 0x1g$using:x", ["$using:x"]),
        ("$x = 5$using:y", []),
        ("10mb+$using:x.Size", ["$using:x.Size"]),
        ("1..$using:x.Count", ["$using:x.Count"]),
        ("cmd $using:x..y", ["$using:x"]),
        ("cmd $using:x. y", ["$using:x"]),
        ("cmd @using:x@using:y", []),
        ("cmd a@using:x", []),
        # Verbatim arguments end at a pipe that is not quoted.
        ('f --% "|" $using:x && g $using:y', ["$using:y"]),
        ("f --% $using:x | g $using:y", ["$using:y"]),
        ("f -a:--% $using:x", ["$using:x"]),
        # Redirections.
        ("cmd 2>&1 $using:x", ["$using:x"]),
        ("cmd *>$using:x", ["$using:x"]),
        ("$using:x 2>$using:y", ["$using:x", "$using:y"]),
        ("cmd<$using:x", []),
        # Strings: parentheses count without quotes, doubled quotes are halved, here-strings end at a line's begin.
        ("\"$('a)' + $using:x)\"", ["$using:x"]),
        ('"$(""$using:x"") $using:y"', ["$using:x", "$using:y"]),
        ('@"\n  "@ $using:a\n"@', ["$using:a"]),
        ('@" x\n$using:a', ["$using:a"]),
        ('"`$($using:x)"', ["$using:x"]),
        ('"$using:a\U0001f600"', ["$using:a"]),
        ("\U0001f600 $using:a.b", ["$using:a.b"]),
        ('${using:a"b}', ['${using:a"b}']),
        # Names.
        ("$using:x:::y", ["$using:x:::y"]),
        ("$Using::x", []),
        ("$using:?", ["$using:?"]),
        ("$using:é.ß", ["$using:é.ß"]),
        ("$a?$using:x:$using:y", ["$using:x:", "$using:y"]),
        ("${using:a}?1:$using:b", ["${using:a}", "$using:b"]),
        # Chains.
        ("$using:x.\n  # c\n  b", ["$using:x.\n  # c\n  b"]),
        ("$using:x.if.foreach", ["$using:x.if.foreach"]),
        ("$using:x[0]()", ["$using:x[0]"]),
        ("$x.a($using:b.c, ($using:d))", ["$using:b.c", "$using:d"]),
        ("[a]::b[$using:x.y]", ["$using:x.y"]),
        ("$x.$using:b.c", ["$using:b"]),
        ("[System.Collections.Generic.Dictionary[string,int]]::new($using:x.y)", ["$using:x.y"]),
        ("[int] $using:x.a", ["$using:x.a"]),
        ("[$using:x]", []),
        # Statements.
        ("begin{$using:a} $using:b", ["$using:a"]),
        ("foreach ($using:x in $using:y.z) {}", ["$using:y.z"]),
        ("foreach -parallel ($x in $using:y) { }", ["$using:y"]),
        (":a foreach ($i in $using:x) { break a; continue $using:l }", ["$using:x", "$using:l"]),
        ('switch -file $using:f { "a$using:x" { $using:y.z } b$using:c {} default { $using:d } }',
         ["$using:f", "$using:x", "$using:y.z", "$using:c", "$using:d"]),
        ("class C : B { [int]$x = $using:a.b; C([int]$p = $using:c) : base($using:d) { $using:e } }",
         ["$using:a.b", "$using:c", "$using:d", "$using:e"]),
        ("enum E { a = $using:x; b }; $using:y", ["$using:x", "$using:y"]),
        ("[A(b=$using:z)] param([P($using:a)][int]$x = $using:b) $using:c",
         ["$using:z", "$using:a", "$using:b", "$using:c"]),
        ('@{ a = if ($using:x) { 1 } else { $using:y.z }\n$using:k = 2; "b$using:l" = 3 }',
         ["$using:x", "$using:y.z", "$using:k", "$using:l"]),
        ("try {} catch [A],[B] { $using:b }\nfinally { $using:d }", ["$using:b", "$using:d"]),
        ("if (1) {}\n\nelseif ($using:x.a) {}\nelse { $using:y }", ["$using:x.a", "$using:y"]),
        ("do {} until ($using:x.a)", ["$using:x.a"]),
        ("for ($i = $using:a.b; $i -lt $using:c; $i++) { }", ["$using:a.b", "$using:c"]),
        ("return$using:x", []),
        ("return $using:x.a", ["$using:x.a"]),
        ("using module $using:x\n$using:y", ["$using:y"]),
        # Syntax errors elsewhere.
        ("$using:a ) $using:b", ["$using:a", "$using:b"]),
        ("} $using:a.b", ["$using:a.b"]),
        ("if ($using:a.b", ["$using:a.b"]),
        ('"$using:a', ["$using:a"]),
        ("$a -foo $using:x", ["$using:x"]),
    ],
)  # fmt: skip
def test_expressions_are_found_by_the_language_s_rules(script: str, expected: list[str]) -> None:
    """Each expression is found with its chain, and nothing else is."""
    assert [reference.text for reference in scan(script, Shell.POWERSHELL).references] == expected


@pytest.mark.parametrize(
    ("script", "chain"),
    [
        ("$using:x[0]", (Index(0),)),
        ("$using:x[-1]", (Index(-1),)),
        ("$using:x[1+1]", (Index(2),)),
        ("$using:x[0x10]", (Index(16),)),
        ("$using:x[1kb]", (Index(1024),)),
        ("$using:x[0,2]", (Index((0, 2)),)),
        ("$using:x[,1]", (Index((1,)),)),
        ("$using:x['a','b']", (Index(("a", "b")),)),
        ("$using:x['it''s']", (Index("it's"),)),
        ('$using:x["a`tb"]', (Index("a\tb"),)),
        ("$using:x[$true][$null]", (Index(True), Index(None))),
        ("$using:x[(1)].a.'b c'", (Index(1), Member("a"), Member("b c"))),
        ("${using:x}?.a?[0]", (Member("a"), Index(0))),
        ("$using:x::Name", (Member("Name"),)),
        ("$using:x[[int]1]", (Index(1),)),
    ],
)
def test_constants_have_their_values(script: str, chain: tuple[Access, ...]) -> None:
    """Members and constant indexes arrive as the values PowerShell would compute."""
    found = scan(script, Shell.POWERSHELL)
    assert found.problems == ()
    assert [(type(a), a) for a in found.references[0].chain] == [(type(a), a) for a in chain]


@pytest.mark.parametrize(
    ("script", "code", "marked"),
    [
        ("$using:x[0..2]", "invalid-using-expression", "0..2"),
        ("$using:x[@(1)]", "invalid-using-expression", "@(1)"),
        ("$using:x[1 -eq 2]", "invalid-using-expression", "1 -eq 2"),
        ("$using:x.a.b().c", "invalid-using-expression", "$using:x.a.b()"),
        ("$using:x.a[int](1)", "invalid-using-expression", "$using:x.a[int](1)"),
        ("$using:x.5", "invalid-using-expression", "$using:x.5"),
        ("$using:x[[DayOfWeek]::Monday]", "using-index-not-plain", "[DayOfWeek]::Monday"),
        ("$using:x[{a}]", "using-index-not-plain", "{a}"),
        ("[int]$using:x.y = 5", "using-assigned", "$using:x.y"),
        ("++$using:x", "using-assigned", "$using:x"),
        ("foreach ($using:x in 1) {}", "using-assigned", "$using:x"),
        ('"$using: x"', "using-without-name", "$using:"),
        ("\U0001f600; $using:a[$i]", "invalid-using-expression", "$i"),
    ],
)
def test_mistakes_are_told_at_their_place(script: str, code: str, marked: str) -> None:
    """Each mistake has its code, marks its part of the script and says what to type."""
    [problem] = scan(script, Shell.POWERSHELL).problems
    assert problem.code == code
    assert problem.error
    assert script[problem.start : problem.end] == marked
    assert problem.hints


def test_an_invalid_call_gets_the_mended_text_as_its_hint() -> None:
    """The hint is what to type, not advice."""
    [problem] = scan("$using:x.Trim()", Shell.POWERSHELL).problems
    assert problem.hints == ("end the expression with parentheses: `($using:x).Trim()`",)


def test_a_script_nested_beyond_reading_is_refused() -> None:
    """Too many levels are told once, and what stands before them is found."""
    found = scan("$using:a; " + "(" * 500 + "$using:b", Shell.POWERSHELL)
    assert [reference.name for reference in found.references] == ["a"]
    assert [problem.code for problem in found.problems] == ["script-nested-too-deep"]
