"""Codes of the area ``using``."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "invalid-using-expression": CodePage(
        summary="A `$Using:` expression is written in a way that has no value before the script runs",
        explanation=(
            "The values of `$Using:` expressions are computed on the controller and sent before the script starts, so "
            "an expression may hold members and constant indexes only: no method call, no index or member taken from a "
            "variable, no range, no assignment. PowerShell's own parser refuses the same ones (error id "
            "`InvalidUsingExpression`). Parentheses end the expression: what stands after them runs on the host. In sh "
            "and bash a chain stands in braces, and sh has no arrays."
        ),
        wrong="script: |\n  $Using:name.Trim()",
        right="script: |\n  ($Using:name).Trim()",
    ),
    "using-assigned": CodePage(
        summary="A script assigns to a `$Using:` expression, which is a value and no variable",
        explanation=(
            "`$Using:` copies a value to the host. Nothing is written back, so an assignment, `++` or `--` cannot have "
            "a meaning; PowerShell's own parser refuses it as well. Assign to a variable of the script."
        ),
        wrong="script: |\n  $Using:count = 5",
        right="script: |\n  $count = $Using:count",
    ),
    "using-index-not-plain": CodePage(
        summary="An index in a `$Using:` expression is a constant that only PowerShell can compute",
        explanation=(
            "PowerShell accepts any constant as an index (`[1kb / 2]`, `[[int]'3']`, `[DayOfWeek]::Monday`). The value "
            "is taken on the controller, which reads numbers, texts, lists of them and sums, and refuses the others "
            "rather than guess."
        ),
        wrong="script: |\n  $Using:names[[int]'3']",
        right="script: |\n  $Using:names[3]",
    ),
    "using-in-quotes": CodePage(
        summary="A `$Using:` reference stands where the shell takes everything for text, so no value is put there",
        explanation=(
            "Single quotes and quoted here-documents of sh and bash, and strings of Python that are no f-strings, are "
            "text: the script would see the letters `$Using:name`. This is a warning, as the letters may be meant; a "
            "backslash before the dollar sign says so and silences it."
        ),
        wrong="shell: sh\nscript: |\n  echo 'hello $Using:name'",
        right='shell: sh\nscript: |\n  echo "hello $Using:name"',
    ),
    "using-without-name": CodePage(
        summary="`$Using:` without a name after it is no reference",
        explanation=(
            "sh and bash read their own variable `Using` and a colon there, which gets a warning, as a script may have "
            "such a variable; PowerShell does not accept it at all. Braces around the variable's name say what is meant."
        ),
        wrong='shell: sh\nscript: |\n  echo "$Using: $count"',
        right='shell: sh\nscript: |\n  echo "${Using}: $count"',
    ),
    "script-nested-too-deep": CodePage(
        summary="A script nests quotes and substitutions deeper than the scanner reads",
        explanation=(
            "References further in would stay unnoticed and their values would be missing on the host, so the script "
            "is refused. The limit, 60 levels, is far beyond what is written by hand."
        ),
    ),
}
