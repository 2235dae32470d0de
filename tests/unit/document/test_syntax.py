"""Mistakes in YAML are told by their cause: the code, the exact place, and the form to type."""

from __future__ import annotations

import pytest
import yaml as pyyaml

from runner.document.nodes import Source
from runner.document.yaml import load
from runner.problems import Problem, Problems

# text, code, the place as line, column and end column, and what a hint holds
CASES = [
    ("script: & 'x'\n", "anchor-not-text", (1, 9, 14), "`script: |`"),
    ('steps:\n  - script: & "C:\\Tools\\a.exe" -v\n', "anchor-not-text", (2, 13, 34), "`script: |`"),
    ("hosts: !canary\n", "unknown-tag", (1, 8, 15), '`"!canary"`'),
    ("hosts: !prod:&web\n", "unknown-tag", (1, 8, 18), '`"!prod:&web"`'),
    ("hosts: !a!b c\n", "unknown-tag", (1, 8, 14), '`hosts: "!a!b c"`'),
    ("hosts: *\n", "alias-not-text", (1, 8, 9), '`hosts: "*"`'),
    ("hosts: *.example.com  # all\n", "alias-not-text", (1, 8, 21), '`hosts: "*.example.com"`'),
    ("hosts: [web, *.db]\n", "alias-not-text", (1, 14, 19), "quote"),
    ("hosts: *web\n", "unknown-anchor", (1, 8, 12), '`"*web"`'),
    ("a: &prod 1\nhosts: *prd\n", "unknown-anchor", (2, 8, 12), "did you mean `*prod`?"),
    ("hosts: @machines.txt\n", "reserved-start", (1, 8, 21), '`hosts: "@machines.txt"`'),
    ("script: `hostname`\n", "reserved-start", (1, 9, 19), "quotes"),
    ("limit: %5\n", "reserved-start", (1, 8, 10), '`limit: "%5"`'),
    ("%include x\n", "reserved-start", (1, 1, 11), "quote"),
    ('file: "C:\\Users\\x.ps1"\n', "bad-escape", (1, 10, 12), "`'C:\\Users\\x.ps1'`"),
    ('file: "\\\\srv\\share\\a"\n', "bad-escape", (1, 13, 15), "single quotes"),
    ('file: "D:\\q"\n', "bad-escape", (1, 10, 12), "`'D:\\q'`"),
    ('name: "\\ud83d\\ude00"\n', "bad-escape", (1, 8, 10), "single quotes"),
    ("steps:\n  - when: 'a' in b\n", "text-after-quote", (2, 15, 19), "`when: \"'a' in b\"`"),
    ('when: "web" == tier # x\n', "text-after-quote", (1, 13, 20), "`when: '\"web\" == tier'`"),
    ("- 'x' y\n- b\n", "text-after-quote", (1, 7, 8), "`\"'x' y\"`"),
    ("name: 'it's'\n", "text-after-quote", (1, 11, 13), "`''`"),
    ("msg: {{ x }}\n", "unquoted-template", (1, 6, 13), '`msg: "{{ x }}"`'),
    ("msg: {{ x }} there\n", "unquoted-template", (1, 6, 19), '`msg: "{{ x }} there"`'),
    ("msg: {{ x['a'] }}\n", "unquoted-template", (1, 6, 18), "`msg: \"{{ x['a'] }}\"`"),
    ('msg: {{ x["a"] | default(1) }}\n', "unquoted-template", (1, 6, 31), "`msg: '{{ x[\"a\"] | default(1) }}'`"),
    ("msg: {% if x %}a{% endif %}\n", "unquoted-template", (1, 6, 28), '`msg: "{% if x %}a{% endif %}"`'),
    ("- {{ x }}\n", "unquoted-template", (1, 3, 10), '`"{{ x }}"`'),
    ("a: {b: {{ x }}, c: 1}\n", "unquoted-template", (1, 8, 15), '`"{{ x }}"`'),
    ("name: web: prod\n", "colon-in-text", (1, 10, 11), '`name: "web: prod"`'),
    ("- name: web: prod\n", "colon-in-text", (1, 12, 13), '`name: "web: prod"`'),
    ('name: "fleet\nsteps: []\n', "unclosed-quote", (1, 7, 8), '`"`'),
    ("name: 'fleet\nother: 'x'\n", "unclosed-quote", (1, 7, 8), "`'`"),
    ('a: 1\nname: "fleet\nother: "x y"\n', "unclosed-quote", (2, 7, 8), '`"`'),
    ("version: 1\nname:fleet\nsteps: []\n", "missing-blank", (2, 1, 6), "`name: fleet`"),
    ("version:1\nname: fleet\n", "missing-blank", (1, 1, 9), "`version: 1`"),
    ("version:1\nname:fleet\n", "missing-blank", (1, 1, 9), "`version: 1`"),
    ("copy:\n  src:a\n  dest:b\n", "missing-blank", (2, 3, 7), "`src: a`"),
    ("copy: {src:a, dest: b}\n", "missing-blank", (1, 8, 13), "`src: a`"),
    ("version: 1\nname\nsteps: []\n", "missing-colon", (2, 1, 5), "`name: ...`"),
    ("hosts: - web1\n", "list-on-key-line", (1, 8, 14), "`[web1]`"),
    ("vars:\n\tsite: north\n", "tab-indentation", (2, 1, 2), "blanks"),
    ("vars:\n  a:\n  \tb: 1\n", "tab-indentation", (3, 3, 4), "blanks"),
    ("script: |\n\techo\n", "tab-indentation", (2, 1, 2), "blanks"),
    ("when: > 5\n", "block-header", (1, 7, 10), '`when: "> 5"`'),
    ("script: | echo hi\n", "block-header", (1, 9, 18), "next line"),
    ("a: 1\n  b: 2\n", "bad-indentation", (2, 3, 7), "column 1"),
    ("a:\n  b: 1\n c: 2\n", "bad-indentation", (3, 2, 6), "column 3"),
    ("steps:\n  - id: a\n   script: b\n", "bad-indentation", (3, 4, 13), "column 5"),
    ("a: b\n- c\n", "bad-indentation", (2, 1, 4), "key of its own"),
    ("steps:\n  - id: a\n    script: b\n  id: c\n", "missing-dash", (4, 3, 8), "`- `"),
    ("hosts: [a, b\nname: x\n", "unclosed-bracket", (1, 8, 9), "`]`"),
    ("vars: {a: 1\n", "unclosed-bracket", (1, 7, 8), "`}`"),
    ("vars: {a: 1 b: 2}\n", "unclosed-bracket", (1, 14, 15), "comma"),
    ("script: { if ($x) { ls } }\n", "unclosed-bracket", (1, 19, 20), "without braces"),
    ("hosts: [a]]\n", "stray-bracket", (1, 11, 12), "remove"),
    ("a: 1\n}\n", "stray-bracket", (2, 1, 2), "remove"),
    (": x\n", "empty-key", (1, 1, 4), "key"),
    ("a:\n  : x\n", "empty-key", (2, 3, 6), "key"),
    ("a: 1\n---\nb: 2\n", "several-documents", (2, 1, 4), "`---`"),
    ("a: !!python/object/apply:os.system [ls]\n", "python-tag", (1, 4, 35), "plain YAML"),
    ("a: !!binary aGk=\n", "unknown-tag", (1, 4, 17), "`!!binary`"),
    ("a: !vault |\n  $ANSIBLE_VAULT\n", "unknown-tag", (1, 4, None), "ansible_vault"),
    ("a: !!int soon\n", "wrong-tag", (1, 4, 14), "`!!int`"),
    ("a: &a\n  b: *a\n", "recursive-alias", (2, 6, 8), "another anchor"),
    ("<<: 3\n", "merge-not-mapping", (1, 5, 6), "`<<: *NAME`"),
    ("“name”: x\n", "smart-quotes", (1, 1, 7), "`name:`"),
    ("name: “fleet”\n", "smart-quotes", (1, 7, 14), '`"fleet"`'),
    ("\u00a0name: x\n", "unseen-character", (1, 1, 2), "`name:`"),
    ("a: x\x07y\n", "control-character", (1, 5, 6), "`\\x07`"),
    ("a: x\u2028y\n", "control-character", (1, 5, 6), "`\\u2028`"),
    ("a: 1\nb: \0\n", "nul-byte", (2, 4, 5), "take the byte out"),
    ("a: ? b\n", "yaml-syntax", (1, 4, 7), "indentation"),
]  # fmt: skip


def problems_of(text: str) -> list[Problem]:
    """The problems of a text, sorted."""
    problems = Problems()
    load(Source("f.yml", text), problems)
    return problems.sorted()


@pytest.mark.parametrize(("text", "code", "place", "hint"), CASES, ids=[case[0][:30] for case in CASES])
def test_mistakes(text: str, code: str, place: tuple[int, int, int | None], hint: str) -> None:
    """What people really type is told once, at its cause, with the form to type."""
    (problem,) = problems_of(text)
    assert problem.code == code
    assert problem.span is not None
    line, column, end_column = place
    assert (problem.span.line, problem.span.column) == (line, column)
    if end_column is not None:
        assert (problem.span.end_line, problem.span.end_column) == (line, end_column)
    assert hint in " ".join(problem.hints)


@pytest.mark.parametrize(("text", "code", "place", "hint"), CASES, ids=[case[0][:30] for case in CASES])
def test_mistakes_without_libyaml(
    text: str, code: str, place: tuple[int, int, int], hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyYAML's own parser stops elsewhere now and then; the cause that is told is the same."""
    monkeypatch.setattr(pyyaml, "__with_libyaml__", False)
    if "\\ud83d" in text:
        assert problems_of(text) == []  # that parser takes half a surrogate pair for a character
        return
    (problem,) = problems_of(text)
    assert problem.span is not None
    assert (problem.code, problem.span.line) == (code, place[0])
    assert hint in " ".join(problem.hints)


def test_proposed_forms_are_valid() -> None:
    """What a hint proposes in place of the line can be read."""
    for text, _, _, _ in CASES:
        for hint in problems_of(text)[0].hints:
            proposal = hint.partition("`")[2].rpartition("`")[0]
            if (
                ": " in proposal
                and "..." not in proposal
                and "*NAME" not in proposal
                and "|`" not in proposal
            ):
                assert problems_of(proposal + "\n") == [], (text, proposal)
