"""Real shells run a rewritten script and the same script written by hand, and must say the same.

Random scripts are written twice, as pairs. Where the shell expands, the first of a pair has ``$Using:a`` and the second
an ordinary ``${hand_a}``; where it does not, both have the same letters.
"""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.using.model import Shell
from runner.using.rewrite import distinct, rewrite, variable_name
from runner.using.scan import scan

Pair = tuple[str, str]
NAMES = ("a", "b", "c")


def same(text: str) -> Pair:
    """Text that is no reference."""
    return text, text


def join(pairs: list[Pair], between: str = "") -> Pair:
    """The pairs one after another."""
    return between.join(pair[0] for pair in pairs), between.join(pair[1] for pair in pairs)


def around(before: str, pair: Pair, after: str) -> Pair:
    """The pair between two texts."""
    return before + pair[0] + after, before + pair[1] + after


def _escaped_for_backquotes(pair: Pair, quoted: bool) -> Pair:
    def escape(text: str) -> str:
        text = text.replace("\\", "\\\\").replace("`", "\\`")
        return text.replace('"', '\\"') if quoted else text

    return escape(pair[0]), escape(pair[1])


references = st.sampled_from(NAMES).flatmap(
    lambda name: st.sampled_from(
        [
            (f"$Using:{name}", f"$hand_{name}"),
            (f"$using:{name}", f"$hand_{name}"),
            (f"${{USING:{name.upper()}}}", f"${{hand_{name}}}"),
            (f"${{Using:{name}}}", f"${{hand_{name}}}"),
            (f"${{USING:{name}:-none}}", f"${{hand_{name}:-none}}"),
            (f"${{#Using:{name}}}", f"${{#hand_{name}}}"),
            (f"${{Using:{name}%%*x}}", f"${{hand_{name}%%*x}}"),
        ]
    )
)
escaped = st.sampled_from(NAMES).map(lambda name: same(f"\\$Using:{name}"))
literal_text = st.sampled_from(
    ["x", "/", ".txt", "-", "=", "#", "y z", ")", ";", "(", "$Using:a", "${Using:b}", "case x in"]
)
single = st.lists(literal_text, max_size=3).map(lambda texts: same("'" + "".join(texts) + "'"))
plain_unquoted = st.sampled_from(["x", "/", ".txt", "=", "-", "y#z", "$?x", "\\'", '\\"', "\\#", "$#"]).map(
    same
)
plain_quoted = st.sampled_from(
    ["x ", "/", ".txt", "#", " # ", ")", "(", "it's ", ";", "<<E", "case x in", "\\\\", "$#"]
).map(same)


def quoted_parts(commands: st.SearchStrategy[Pair], *, backquotes: bool = True) -> st.SearchStrategy[Pair]:
    """What stands in double quotes or in a here-document."""
    kinds = [
        plain_quoted,
        references,
        escaped,
        commands.map(lambda pair: around("$(", pair, "\n)")),
        references.map(lambda pair: around("${unset:-<", pair, ">}")),
        st.just(("$((1 << ${#Using:a} % 4))", "$((1 << ${#hand_a} % 4))")),
    ]
    if backquotes:
        kinds.append(commands.map(lambda pair: around("`", _escaped_for_backquotes(pair, True), "`")))
    return st.lists(st.one_of(kinds), max_size=4).map(join)


def words(commands: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    """One word outside quotes."""
    kinds = st.one_of(
        plain_unquoted,
        references,
        escaped,
        single,
        quoted_parts(commands).map(lambda pair: around('"', pair, '"')),
        commands.map(lambda pair: around("$(", pair, ")")),
        commands.map(lambda pair: around("`", _escaped_for_backquotes(pair, False), "`")),
        references.map(lambda pair: around("${unset:-", pair, "}")),
        st.just(same("$((3 << 1))")),
        st.just(("$((${#Using:a} * (2 + 1)))", "$((${#hand_a} * (2 + 1)))")),
    )
    return st.lists(kinds, min_size=1, max_size=4).map(join)


def _documents(commands: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    body = quoted_parts(commands, backquotes=False)
    return st.one_of(
        body.map(lambda pair: around("cat <<E\n", pair, "\nE\n")),
        body.map(lambda pair: around("cat <<-E\n\t", pair, "\n\tE\n")),
        literal_text.map(lambda text: same(f"cat <<'E'\n{text}\nE\n")),
        literal_text.map(lambda text: same(f"cat <<\\E\n{text}\nE\n")),
        st.tuples(body, literal_text).map(
            lambda both: around("cat <<E - <<'F'\n", join([both[0], same(f"\nE\n{both[1]}\nF\n")]), "")
        ),
    )


def _compound(commands: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    word = words(commands)
    return st.one_of(
        st.lists(word, min_size=1, max_size=3).map(
            lambda pairs: around("printf '[%s]' ", join(pairs, " "), "\n")
        ),
        _documents(commands),
        commands.map(lambda pair: around("case x in (y) ;; x)\n", pair, "\n;; esac\n")),
        commands.map(lambda pair: around("case x in x | z) if :; then\n", pair, "\nfi ;; esac\n")),
        commands.map(lambda pair: around("( ", pair, "\n)\n")),
        commands.map(lambda pair: around("f() {\n", pair, "\n}\nf\n")),
        commands.map(lambda pair: around("# it's a `comment` with $Using:a ) and \"\n", pair, "\n")),
    )


_leaf = st.one_of(
    st.just(("echo $Using:a\n", "echo ${hand_a}\n")), st.just(('echo "$Using:b"\n', 'echo "${hand_b}"\n'))
)
commands = st.recursive(_leaf, _compound, max_leaves=6)
scripts = st.lists(commands, min_size=1, max_size=4).map(join)

VALUES = {"a": "one  two * '", "b": 'q"uo$te `id` $(id) \\', "c": ""}


def run(shell: Shell, script: str, variables: dict[str, str]) -> tuple[int, bytes]:
    """Run the script with plain variables set before it; its exit code and output."""
    preamble = "".join(f"{name}={shlex.quote(value)}; " for name, value in variables.items())
    done = subprocess.run([shell.value], input=(preamble + script).encode(), capture_output=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("shell", [Shell.SH, Shell.BASH])
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(pair=scripts)
@example(pair=('echo ${Using:a#"$Using:a"}', 'echo ${hand_a#"$hand_a"}'))
@example(pair=("echo \"${Using:a#'$Using:a'}\"", "echo \"${hand_a#'$Using:a'}\""))
@example(pair=("echo `echo \\$Using:a \\\\$Using:b`", "echo `echo \\$hand_a \\\\$Using:b`"))
@example(
    pair=(
        "cat <<A; cat <<'B'\n$Using:a\\\nA\nA\n$Using:b\nB\n",
        "cat <<A; cat <<'B'\n${hand_a}\\\nA\nA\n$Using:b\nB\n",
    )
)
@example(
    pair=(
        "echo $( (echo $Using:a) ) $(( (1) << 2 )) $Using:b",
        "echo $( (echo $hand_a) ) $(( (1) << 2 )) $hand_b",
    )
)
def test_a_reference_expands_as_the_variable_would(shell: Shell, pair: Pair) -> None:
    """Quoting, splitting and nesting treat a reference exactly as a variable written at its place."""
    script, by_hand = pair
    found = scan(script, shell)
    assert [problem for problem in found.problems if problem.error] == []
    names = {
        variable_name(n, shell): VALUES.get(one.name.lower(), "") for n, one in enumerate(distinct(found))
    }
    ours = run(shell, rewrite(script, found, shell), names)
    theirs = run(shell, by_hand, {f"hand_{name}": value for name, value in VALUES.items()})
    assert ours == theirs


FORMS = [
    "echo \"${u:-'$Using:a'}\"",
    "echo ${u:-'$Using:a'}",
    "x=aXb; echo \"${x#'$Using:a'}\" \"${x%'$Using:c'b}\"",
    'cat <<E\n${u:-\'$Using:a\'} "${u:-"$Using:b"}"\nE\n',
    "x=1; cat <<E\n${x#'$Using:a'}\nE\n",
    'echo ${u:-"$Using:a"} "${u:-"$Using:a"}" "${u:-$(echo "$Using:b")}"',
    "echo `echo \\`echo $Using:a\\``",
    'echo "`echo "$Using:a"`"',
    'echo "`echo \\"$Using:a\\"`"',
    "echo \"`echo '$Using:a'`\"",
    'echo "`echo \\$Using:a`"',
    'echo "`echo \\\\$Using:a`"',
    'cat <<E\n`echo "$Using:a"`\n`echo \\"$Using:a\\"`\n`echo \'$Using:a\'`\nE\n',
    'case $Using:a in $Using:b) echo 1;; *) echo "$Using:a";; esac',
    'for i in $Using:a; do echo "$i $Using:b"; done',
    'x=$Using:a; echo "$x"',
    'export x="$Using:b" y=$Using:a; echo "$x$y"',
    "f() ( echo $Using:a ); f",
    'if [ "$Using:a" = x ]; then echo; else echo "$Using:b"; fi',
    "echo $((${#Using:a}+1)) $(( $( echo 1 ) + 1 ))",
    'echo a\\\n$Using:a "x\\\n$Using:b"',
    'cat <<E1 <<"E2"\n$Using:a\nE1\n$Using:b\nE2\n',
    "cat <<E; echo $Using:a\nx\\\nE\nE\n",
    'cat <<E && echo "$(cat <<F\n$Using:b\nF\n)"\n$Using:a\nE\n',
    "(cat <<E)\n$Using:a\nE\n",
    "{ cat <<E; } | cat\n$Using:a\nE\necho $Using:b",
    'echo "$(echo "$(echo "$Using:b")")"',
    'echo ${u:=$Using:a}; echo "$u"',
    'echo "}" ${u:-}} $Using:a',
    'echo "${u:-\\}$Using:a}"',
    'echo "${u:-`echo $Using:a`}"',
    "echo ${u:-\\$Using:a}",
    "echo 'a'\\''$Using:a'",
    "cat <<'E\n'\n$Using:a\nE\n\n",
    'cat << "E F"\n$Using:a\nE F\necho $Using:b',
    "echo $((1<<$((1+1)))) $Using:a",
    'echo "$((1))$Using:a"',
    "echo $(( (1<2) ? 3 : 4 )) $Using:a",
    "echo $( (echo $Using:a); (echo b) )",
    "echo $((echo $Using:a); (echo b))",
    "echo ${u#\\}} $Using:a",
    "echo ${u-'}'} $Using:a",
    'echo "${u-\'}" $Using:a "\'}"',
    'echo "${u-"a}b"}$Using:a"',
]
BASH_FORMS = [
    'a=($Using:a "$Using:b" # $Using:c )\n); printf "<%s>" "${a[@]}"',
    "echo $'a\\'$Using:a' $Using:b",
    'echo $"x$Using:a"',
    "cat <(echo $Using:a)",
    '[[ $Using:a == "$Using:a" ]] && echo y',
    'cat <<<$Using:a; cat <<<"$Using:b"',
    "echo \"${u:-$'$Using:a'}\"",
    "x=abc; echo ${x/'$Using:a'/z} \"${x/b/$Using:a}\" \"${x/b/'$Using:a'}\"",
    "(( $(echo 1) << 1 )); echo $Using:a",
    "for ((i=0;i<1<<1;i++)); do echo $Using:a; done",
    "echo ${u^^'$Using:a'} $Using:b",
    "[[ x =~ (a|$Using:a) ]] || echo $Using:b",
    'declare -A m=([k]=$Using:a); echo "${m[k]}"',
    "a[1<<1]=$Using:a; echo ${a[2]}",
    "coproc cat <<E\n$Using:a\nE\nwait",
    "function case { echo $Using:a; }; case",
    "select x in a; do case $x in a) echo $Using:a; break;; esac; done <<<1",
]


@pytest.mark.parametrize(
    ("shell", "script"),
    [(Shell.SH, form) for form in FORMS] + [(Shell.BASH, form) for form in FORMS + BASH_FORMS],
)
def test_each_form_of_quoting_is_the_shell_s(shell: Shell, script: str) -> None:
    """In every form the shell has, a reference expands where a variable does and is text where a variable is."""
    found = scan(script, shell)
    names = {variable_name(n, shell): VALUES[one.name] for n, one in enumerate(distinct(found))}
    by_hand = re.sub(r"(\$\{#|\$)Using:(\w)", r"\1hand_\2", script)
    code, output = run(shell, by_hand, {f"hand_{name}": value for name, value in VALUES.items()})
    # Where it is text, the letters differ: those of the variable written by hand are put back.
    expected = re.sub(rb"\$hand_(\w)", rb"$Using:\1", output)
    assert run(shell, rewrite(script, found, shell), names) == (code, expected)
