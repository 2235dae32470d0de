"""Real shells run a rewritten script and the same script written by hand, and must say the same.

Random scripts are written twice, as pairs. Where the shell expands, the first of a pair has ``$Using:a`` and the second
an ordinary ``${hand_a}``; where it does not, both have the same letters.
"""

from __future__ import annotations

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
