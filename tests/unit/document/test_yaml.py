"""The tree of a YAML file: values, places, anchors, and what is refused."""

from __future__ import annotations

import pytest
import yaml as pyyaml

from runner.document import events
from runner.document.nodes import AnyNode, Document, Mapping, PlainValue, Scalar, Sequence, Source, to_plain
from runner.document.yaml import DEEPEST, TOLD_AT_MOST, load
from runner.problems import Problem, Problems, Severity


def loaded(text: str, *, ansible: bool = False) -> tuple[Document, list[Problem]]:
    """A document and its problems in order."""
    problems = Problems()
    document = load(Source("f.yml", text), problems, ansible=ansible)
    return document, problems.sorted()


def plain(text: str, *, ansible: bool = False) -> PlainValue:
    """The values of a text that has no problems."""
    document, problems = loaded(text, ansible=ansible)
    assert problems == []
    return to_plain(document.root)


def place(node: AnyNode) -> tuple[int, int, int, int]:
    """Where a node begins and ends."""
    return node.line, node.column, node.end_line, node.end_column


def found(document: Document, *path: str | int) -> AnyNode:
    """The node at a path of keys and indices."""
    node = document.root
    for step in path:
        if isinstance(step, int):
            assert isinstance(node, Sequence)
            node = node.items[step]
        else:
            assert isinstance(node, Mapping)
            node = node.get(step)
    assert node is not None
    return node


def test_values_are_what_the_author_sees() -> None:
    """Words stay words, numbers keep their text, keys are text."""
    text = "no: no\non: 12:30:00\nversion: 1.10\nmode: 0644\n80: http\n~: nothing\nquoted: '1'\n"
    document, problems = loaded(text)
    assert problems == []
    assert to_plain(document.root) == {
        "no": "no", "on": "12:30:00", "version": 1.1, "mode": 644, "80": "http", "~": "nothing", "quoted": "1",
    }  # fmt: skip
    version, mode = found(document, "version"), found(document, "mode")
    assert isinstance(version, Scalar)
    assert isinstance(mode, Scalar)
    assert (version.text, mode.text) == ("1.10", "0644")


def test_ansible_reads_its_own_way() -> None:
    """YAML 1.1 scalars, and the last of two equal keys with a warning."""
    document, problems = loaded("a: yes\nb: 0644\nc: 1:30\na: no\n", ansible=True)
    assert to_plain(document.root) == {"a": False, "b": 420, "c": 90}
    assert [(p.code, p.severity) for p in problems] == [("duplicate-key", Severity.WARNING)]


def test_tags_of_ansible() -> None:
    """``!vault`` and ``!unsafe`` stay on the scalar, and ``!unsafe`` of a list on every text in it."""
    text = "v: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\nu: !unsafe '{{ x }}'\nl: !unsafe [a, {b: c, n: 1}]\n"
    document, problems = loaded(text, ansible=True)
    assert problems == []
    tags = [
        node.tag
        for node in (
            found(document, "v"),
            found(document, "u"),
            found(document, "l", 0),
            found(document, "l", 1, "b"),
        )
        if isinstance(node, Scalar)
    ]
    assert tags == ["!vault", "!unsafe", "!unsafe", "!unsafe"]
    number = found(document, "l", 1, "n")
    assert isinstance(number, Scalar)
    assert number.tag is None


@pytest.mark.parametrize("parser", ["libyaml", "python"])
def test_every_node_has_its_place(parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers give the same places, in characters, and collections end with their last value."""
    if parser == "python":
        monkeypatch.setattr(pyyaml, "__with_libyaml__", False)
    elif not pyyaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    assert isinstance(events.open_parser(""), events.PythonParser) == (parser == "python")
    text = (
        "é𝒳: ü𝒳  # comment\n"
        "list:\n"
        "  - a\n"
        "  - [b, {c: d} ]  # more\n"
        "\n"
        "# far\n"
        "block: |\n"
        "  one\n"
        "  two\n"
        "\n"
        "map:\n"
        "  in:\n"
        "    deep: 'x'\n"
        "  alias: &n\n"
        "    k: v\n"
        "  again: *n\n"
        "\n"
        "null:\n"
    )
    document, problems = loaded(text)
    assert problems == []
    assert place(found(document, "é𝒳")) == (1, 5, 1, 7)
    assert place(found(document, "list")) == (3, 3, 4, 17)
    assert place(found(document, "list", 1)) == (4, 5, 4, 17)
    assert place(found(document, "list", 1, 1)) == (4, 9, 4, 15)
    assert place(found(document, "block")) == (7, 8, 9, 6)
    assert place(found(document, "map", "in")) == (13, 5, 13, 14)
    assert place(found(document, "map")) == (12, 3, 16, 12)
    assert place(found(document, "null")) == (18, 6, 18, 6)
    root = found(document)
    assert place(root) == (1, 1, 18, 6)
    assert isinstance(root, Mapping)
    assert place(root.key("list")) == (2, 1, 2, 5)


def test_values_begin_after_tag_and_anchor() -> None:
    """A scalar begins at its text; one without text begins at its anchor, which shows the mistake."""
    document, problems = loaded("a: &x !!str 5\nb: &y\n")
    assert problems == []
    assert place(found(document, "a")) == (1, 13, 1, 14)
    assert place(found(document, "b")) == (2, 4, 2, 6)


def test_anchors() -> None:
    """An alias is the node of its anchor; a later anchor of the same name takes its place."""
    document, problems = loaded("a: &x [1]\nb: *x\nc: &x 2\nd: *x\n")
    assert problems == []
    assert found(document, "a") is found(document, "b")
    assert to_plain(document.root) == {"a": [1], "b": [1], "c": 2, "d": 2}
    assert document.anchors == {"x": found(document, "c")}


@pytest.mark.parametrize("ansible", [False, True])
def test_merge_keys(ansible: bool) -> None:
    """Keys written in the mapping win, then those of the mapping that is named first."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd:\n  <<: *a\n  <<: *b\n  '<<': text\n"
    assert plain(text, ansible=ansible) == {
        "a": {"x": 1, "y": 1},
        "b": {"y": 2, "z": 2},
        "c": {"x": 3, "y": 1, "z": 2},
        "d": {"x": 1, "y": 1, "z": 2, "<<": "text"},
    }


def test_core_tags() -> None:
    """The tags of the core schema say what a value is."""
    assert plain("[!!str 5, ! 6, !!int '7', !!float 8, !!bool 'true', !!null '', !!seq [], !!map {}]\n") == [
        "5", "6", 7, 8.0, True, None, [], {},
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n", "# comment\n", "---\n", "--- # nothing\n...\n"])
def test_empty_files(text: str) -> None:
    """A playbook must hold something, Ansible's variable files may be empty."""
    document, problems = loaded(text)
    assert document.root is None
    assert [p.code for p in problems] == ["empty-document"]
    document, problems = loaded(text, ansible=True)
    assert (document.root, problems) == (None, [])


def test_duplicate_key_names_both_places() -> None:
    """The second key is marked, the first is named; the first value stays."""
    document, (problem,) = loaded("vars:\n  a: 1\n  b: 2\n  'a': 3\n")
    assert problem.code == "duplicate-key"
    assert problem.span is not None
    assert (problem.span.line, problem.span.column, problem.span.end_column) == (4, 3, 6)
    assert [(span.line, words) for span, words in problem.related] == [(2, "first written here")]
    assert to_plain(document.root) == {"vars": {"a": 1, "b": 2}}


def test_all_problems_are_told_at_once() -> None:
    """What breaks no syntax does not hide what follows."""
    _, problems = loaded("a: *none\nb: !what x\nb: 1\n? [c]\n: d\n“e”: f\n")
    assert [(p.code, p.span.line if p.span else 0) for p in problems] == [
        ("unknown-anchor", 1), ("unknown-tag", 2), ("duplicate-key", 3), ("complex-key", 4), ("smart-quotes", 6),
    ]  # fmt: skip


def test_alias_bomb() -> None:
    """Nine levels of nine aliases are refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 9)]
    document, problems = loaded("\n".join(lines) + "\n")
    assert document.root is None
    assert [p.code for p in problems] == ["alias-bomb"]


def test_many_honest_aliases() -> None:
    """A large inventory whose hosts all take over the same variables is no bomb."""
    lines = ["d: &d {a: 1, b: 2, c: 3, d: 4, e: 5}", "hosts:"]
    lines += [f"  h{number}: {{<<: *d}}" for number in range(12_000)]
    document, problems = loaded("\n".join(lines) + "\n")
    assert problems == []
    assert isinstance(found(document, "hosts", "h11999", "e"), Scalar)


@pytest.mark.parametrize("ansible", [False, True])
@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 50_000])
def test_depth_is_bounded(text: str, ansible: bool) -> None:
    """Endless nesting is a problem and never a RecursionError."""
    document, problems = loaded(text, ansible=ansible)
    assert document.root is None
    assert [p.code for p in problems] == ["too-deep"]


def test_depth_through_aliases_is_bounded() -> None:
    """Aliases cannot build a tree that is deeper than one that is written out."""
    deep = DEEPEST // 2
    text = f"a: &a {'[' * deep}{']' * deep}\nb: {'[' * deep}*a{']' * deep}\n"
    assert [p.code for p in loaded(text)[1]] == ["too-deep"]
    to_plain(loaded(text.replace("*a", "x"))[0].root)


def test_templates_without_quotes_go_on_as_text() -> None:
    """``{{ x }}`` is told once, and later stages see the text that was meant."""
    document, problems = loaded("msg: {{ x }}\nlist: [{{ y }}, z]\n")
    assert [p.code for p in problems] == ["unquoted-template", "unquoted-template"]
    assert to_plain(document.root) == {"msg": "{{ x }}", "list": ["{{ y }}", "z"]}


def test_endless_problems_end() -> None:
    """A file that is wrong in every line is left alone after a thousand problems."""
    document, problems = loaded("- *x\n" * 5000)
    assert document.root is None
    assert len(problems) == TOLD_AT_MOST + 1
    assert "too-many-problems" in {problem.code for problem in problems}
