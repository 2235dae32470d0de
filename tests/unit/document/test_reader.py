"""Files are read as UTF-8 text, or told why not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runner.document.reader import PLAYBOOK_LIMIT, read_source
from runner.problems import Problem, Problems
from runner.values import Span


def only_problem(path: Path | str, *, limit: int = 100) -> Problem:
    """The one problem of a file that gives no source."""
    problems = Problems()
    assert read_source(path, problems, limit=limit) is None
    (problem,) = problems
    return problem


def test_text_and_digest(tmp_path: Path) -> None:
    """The text comes without its byte order mark, the digest is that of the bytes."""
    path = tmp_path / "play.yml"
    content = b"\xef\xbb\xbfname: \xc3\xa9\r\n"
    path.write_bytes(content)
    problems = Problems()
    source = read_source(path, problems, limit=PLAYBOOK_LIMIT)
    assert source is not None
    assert (source.path, source.text) == (str(path), "name: é\r\n")
    assert source.digest == hashlib.sha256(content).hexdigest()
    assert len(problems) == 0


def test_the_path_stays_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions show the path that the author typed."""
    (tmp_path / "play.yml").write_text("a: 1\n")
    monkeypatch.chdir(tmp_path)
    source = read_source("./play.yml", Problems(), limit=100)
    assert source is not None
    assert source.path == "./play.yml"


def test_no_such_file(tmp_path: Path) -> None:
    """A missing file is told, with the file of the other ending where there is one."""
    (tmp_path / "play.yaml").touch()
    problem = only_problem(tmp_path / "play.yml")
    assert (problem.code, problem.span) == ("file-not-found", Span(str(tmp_path / "play.yml")))
    assert problem.hints == (f"there is `{tmp_path / 'play.yaml'}`",)


def test_the_place_that_names_the_file(tmp_path: Path) -> None:
    """A file named in a playbook is told where it is named."""
    problems = Problems()
    span = Span("play.yml", 3, 9, 3, 12)
    assert read_source(tmp_path / "x", problems, limit=1, span=span) is None
    assert [problem.span for problem in problems] == [span]


def test_a_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    assert only_problem(tmp_path).code == "not-a-file"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_names(name: str) -> None:
    """A name that the operating system refuses is a problem and no crash."""
    assert only_problem(name).code == "file-unreadable"


def test_size(tmp_path: Path) -> None:
    """A file of exactly the limit is read, one byte more is refused."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 100)
    assert read_source(path, Problems(), limit=100) is not None
    path.write_bytes(b"x" * 101)
    assert only_problem(path).code == "file-too-large"


def test_a_pipe_is_read_up_to_the_limit(tmp_path: Path) -> None:
    """What has no size beforehand is bounded while it is read."""
    reading, writing = os.pipe()
    os.write(writing, b"x" * 101)
    os.close(writing)
    try:
        assert only_problem(f"/dev/fd/{reading}").code == "file-too-large"
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (b"a: 1\nb: \xff\n", "not-utf-8", (2, 4)),
        ("é: ü".encode() + b"\r\n\xe9", "not-utf-8", (2, 1)),
        (b"a: \xc3", "not-utf-8", (1, 4)),
        ("a: 1".encode("utf-16"), "not-utf-8", (1, 1)),
        (b"a: 1\nb: x\0y\n", "nul-byte", (2, 5)),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes, code: str, place: tuple[int, int]) -> None:
    """A byte that is no UTF-8 and a NUL byte are told at their line and column."""
    path = tmp_path / "play.yml"
    path.write_bytes(content)
    problem = only_problem(path)
    assert problem.span is not None
    assert (problem.code, problem.span.line, problem.span.column) == (code, *place)
