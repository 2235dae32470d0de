"""What the scanner of sh and bash takes for a reference, for text, and for a mistake."""

from __future__ import annotations

import subprocess

import pytest

from runner.using.model import Access, Index, Member, Shell
from runner.using.rewrite import distinct, rewrite, variable_name
from runner.using.scan import scan


@pytest.mark.parametrize(
    ("script", "name", "chain", "rewritten"),
    [
        ("echo $Using:log.txt", "log", (), "echo ${__runner_using_0}.txt"),
        ("echo $Using:a[0]", "a", (), "echo ${__runner_using_0}[0]"),
        ("echo ${Using:a.b[0]}", "a", (Member("b"), Index(0)), "echo ${__runner_using_0}"),
        (
            "echo ${Using:a['k k'].\"x y\"[-1]}",
            "a",
            (Index("k k"), Member("x y"), Index(-1)),
            "echo ${__runner_using_0}",
        ),
        ('echo "${Using:a["k"]}"', "a", (Index("k"),), 'echo "${__runner_using_0}"'),
        ("echo ${USING:name with space}", "name with space", (), "echo ${__runner_using_0}"),
        ("echo ${Using:a.b:-none}", "a", (Member("b"),), "echo ${__runner_using_0:-none}"),
        ("echo ${#Using:a}", "a", (), "echo ${#__runner_using_0}"),
        ("echo ${Using:path##*/}", "path", (), "echo ${__runner_using_0##*/}"),
        ("echo $Using:größe", "größe", (), "echo ${__runner_using_0}"),
        ("echo $Using:1st", "1st", (), "echo ${__runner_using_0}"),
        ("echo $(($Using:a << 2))\n", "a", (), "echo $((${__runner_using_0} << 2))\n"),
    ],
)
@pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH])
def test_what_a_reference_is(
    shell: Shell, script: str, name: str, chain: tuple[Access, ...], rewritten: str
) -> None:
    """Unbraced it is a name; in braces it has a chain of constants, and the shell's operators stay the shell's."""
    found = scan(script, shell)
    assert [(one.name, one.chain) for one in found.references] == [(name, chain)]
    assert found.problems == ()
    assert rewrite(script, found, shell) == rewritten


@pytest.mark.parametrize(
    ("script", "array", "output"),
    [
        ('printf "<%s>" "${Using:l[@]}"', "[@]", "<a b><c>"),
        ('printf "<%s>" "${Using:l[*]}"', "[*]", "<a b c>"),
        ('printf "<%s>" "${#Using:l[@]}"', "[@]", "<2>"),
        ('printf "<%s>" "${Using:l[@]:1}"', "[@]", "<c>"),
        ('printf "<%s>" "${!Using:l[@]}"', "[@]", "<0><1>"),
        ('i=1; printf "<%s>" "${Using:l[$i]}"', "[$i]", "<c>"),
        ('printf "<%s>" "${Using:l[@]/b/B}"', "[@]", "<a B><c>"),
    ],
)
def test_bash_has_whole_arrays(script: str, array: str, output: str) -> None:
    """Whole arrays, their length, slices, indexes and computed subscripts work as with an array of the script."""
    found = scan(script, Shell.BASH)
    assert [one.array for one in found.references] == [array]
    assert found.problems == ()
    preamble = f"{variable_name(0, Shell.BASH)}=('a b' c)\n"
    text = preamble + rewrite(script, found, Shell.BASH)
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout == output


@pytest.mark.parametrize(
    ("script", "shell", "code", "error", "marked"),
    [
        ("echo '$Using:a'", Shell.SH, "using-in-quotes", False, "$Using:a"),
        ("echo $'a\\'$Using:a'", Shell.BASH, "using-in-quotes", False, "$Using:a"),
        ("cat <<'E'\n$Using:a\nE\n", Shell.SH, "using-in-quotes", False, "$Using:a"),
        ("cat <<-\\E\n\t${Using:a.b}\n\tE\n", Shell.SH, "using-in-quotes", False, "${Using:a.b}"),
        ('echo "$Using: x"', Shell.SH, "using-without-name", False, "$Using:"),
        ("echo ${Using:}", Shell.SH, "invalid-using-expression", True, "${Using:}"),
        ("echo ${Using:l[@]}", Shell.SH, "invalid-using-expression", True, "${Using:l[@]}"),
        ("echo ${Using:l[$i]}", Shell.SH, "invalid-using-expression", True, "${Using:l[$i]}"),
        ("echo ${Using:a.b()}", Shell.BASH, "invalid-using-expression", True, "${Using:a.b()}"),
        ("echo ${Using:a", Shell.SH, None, True, ""),
    ],
)
def test_what_is_told_of_the_text(
    script: str, shell: Shell, code: str | None, error: bool, marked: str
) -> None:
    """A reference that has no value there, or is none, is told with its code at its place; nothing is silent text."""
    told = [
        (problem.code, problem.error, script[problem.start : problem.end])
        for problem in scan(script, shell).problems
    ]
    assert told == ([] if code is None else [(code, error, marked)])


@pytest.mark.parametrize(
    "script",
    [
        'echo \\$Using:a "\\$Using:a"',
        "# $Using:a",
        "echo x # '$Using:a",
        "echo ${using:-mine} ${Using:+x} ${using:=y}",
        "echo $using $UsingX:y ${using}:a",
        "mail user@Using:host",
        "echo $$Using:x $#Using:x",
        "echo '\\$Using:a'",
    ],
)
@pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH])
def test_what_is_the_shell_s_own(shell: Shell, script: str) -> None:
    """Escaped dollar signs, comments and the script's own variable `using` are left alone without a word."""
    found = scan(script, shell)
    assert (found.references, found.problems) == ((), ())


@pytest.mark.parametrize(
    "script",
    [
        "x=$(case a in a) echo 1;; (b|c) echo 2;; esac); echo '$Using:no' $Using:yes",
        "x=$(cat <<E\n)'\"\nE\n); echo '$Using:no' $Using:yes",
        "x=$( # don't ) here\necho 1); echo '$Using:no' $Using:yes",
        "x=$(echo case in); echo '$Using:no' $Using:yes",
        "f() { case $1 in esac) ;; *) :; esac; }; echo '$Using:no' $Using:yes",
        "a=(case 'x' esac # )\n); echo '$Using:no' $Using:yes",
        "[[ a == @(case|b) ]]; echo '$Using:no' $Using:yes",
        "echo $((1<<2)); ((y=1<<2)); echo '$Using:no' $Using:yes",
        "cat <<<E; echo '$Using:no' $Using:yes\nE\n",
        "echo ${x#'}'} \"${x:-'}\" \"${x#'}'}\"; echo '$Using:no' $Using:yes",
        "echo a#b 'c' # \"\necho '$Using:no' $Using:yes",
    ],
)
def test_quotes_are_followed_through_every_form(script: str) -> None:
    """What looks like a quote or a parenthesis, and is none, does not turn text into references or back."""
    found = scan(script, Shell.BASH)
    assert [one.name for one in found.references] == ["yes"]
    assert [problem.code for problem in found.problems] == ["using-in-quotes"]


def test_distinct_values_are_sent_once() -> None:
    """Names are one in any case, chains are not; each distinct value has one number, in the order written."""
    script = "echo $Using:b $using:B ${USING:b} ${Using:b.x} ${Using:b.X} ${Using:b[1]} ${Using:b['1']}"
    found = scan(script, Shell.SH)
    assert [one.text for one in distinct(found)] == [
        "$Using:b", "${Using:b.x}", "${Using:b.X}", "${Using:b[1]}", "${Using:b['1']}",
    ]  # fmt: skip
    variables = [f"${{{variable_name(n, Shell.SH)}}}" for n in (0, 0, 0, 1, 2, 3, 4)]
    assert rewrite(script, found, Shell.SH) == "echo " + " ".join(variables)
