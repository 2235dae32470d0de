"""Collecting and spooling output."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runner.shell.output import OutputCollector
from runner.transport.port import Stream


def test_small_output_stays_in_memory(tmp_path: Path) -> None:
    """Up to the limit nothing is written anywhere."""
    collector = OutputCollector(directory=tmp_path / "out", limit=4)
    collector.data_received(Stream.STDOUT, b"ab")
    collector.data_received(Stream.STDOUT, b"cd")
    collector.finish()
    assert (collector.stdout.read(), collector.stdout.complete, collector.stdout.path) == (
        b"abcd",
        True,
        None,
    )
    assert list(tmp_path.iterdir()) == []


def test_large_output_goes_to_a_private_file(tmp_path: Path) -> None:
    """Past the limit all of it is in a file that others cannot read; the beginning stays in memory."""
    collector = OutputCollector(directory=tmp_path / "a" / "b", limit=4)
    for piece in (b"abc", b"def", b"gh"):
        collector.data_received(Stream.STDERR, piece)
    collector.finish()
    path = tmp_path / "a" / "b" / "stderr"
    assert (collector.stderr.head, collector.stderr.size, collector.stderr.complete) == (b"abcd", 8, False)
    assert (collector.stderr.path, path.read_bytes(), path.stat().st_mode & 0o777) == (
        path,
        b"abcdefgh",
        0o600,
    )
    assert collector.stderr.read() == b"abcdefgh"
    collector.close()
    assert path.exists()


def test_without_a_directory_the_file_has_no_name() -> None:
    """Without a directory all of it can still be read."""
    collector = OutputCollector(limit=1)
    collector.data_received(Stream.STDOUT, b"abc")
    assert (collector.stdout.read(), collector.stdout.path) == (b"abc", None)
    collector.close()


def test_a_full_disk_keeps_the_beginning(tmp_path: Path) -> None:
    """Where spooling fails, receiving goes on and the reason is kept."""
    (tmp_path / "file").write_text("in the way")
    collector = OutputCollector(directory=tmp_path / "file" / "x", limit=2)
    collector.data_received(Stream.STDOUT, b"abc")
    collector.data_received(Stream.STDOUT, b"def")
    collector.finish()
    assert isinstance(collector.stdout.failure, OSError)
    assert (collector.stdout.head, collector.stdout.size) == (b"ab", 6)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=12), st.integers(0, 40))
def test_what_came_is_what_is_read(pieces: list[bytes], limit: int) -> None:
    """However it comes in pieces and wherever the limit lies, everything is read back."""
    collector = OutputCollector(limit=limit)
    for piece in pieces:
        collector.data_received(Stream.STDOUT, piece)
    collector.finish()
    whole = b"".join(pieces)
    assert (collector.stdout.read(), collector.stdout.head) == (whole, whole[:limit])
    collector.close()


@given(st.text(st.sampled_from("a\né𝄞\r"), max_size=30), st.lists(st.integers(1, 5), max_size=30))
def test_live_lines_are_whole(text: str, sizes: list[int]) -> None:
    """Lines are told whole and as text, however their bytes are cut."""
    told: list[str] = []
    collector = OutputCollector(on_text=lambda _, line: told.append(line))
    data = text.encode()
    for size in [*sizes, len(data)]:
        if data:
            collector.data_received(Stream.STDOUT, data[:size])
            data = data[size:]
    collector.finish()
    collector.finish()
    lines = text.split("\n")
    assert told == [line.removesuffix("\r") + "\n" for line in (lines if lines[-1] else lines[:-1])]


def test_live_lines_are_told_at_once_and_apart() -> None:
    """A line is told when its end comes, for each stream on its own; a very long one in parts."""
    told: list[tuple[Stream, str]] = []
    collector = OutputCollector(on_text=lambda stream, text: told.append((stream, text)))
    collector.data_received(Stream.STDOUT, b"a\nb")
    collector.data_received(Stream.STDERR, b"\xff\n")
    assert told == [(Stream.STDOUT, "a\n"), (Stream.STDERR, "\\xff\n")]
    collector.data_received(Stream.STDERR, b"x" * 70000)
    assert told[-1][1] == "x" * 65536


def test_output_without_a_name_is_kept_rewritten(tmp_path: Path) -> None:
    """What may hold secrets has no name on the disk until it is kept, and then what was made of it."""
    collector = OutputCollector(directory=tmp_path / "out", limit=4, named=False)
    collector.data_received(Stream.STDOUT, b"secret text")
    assert [path.name for path in (tmp_path / "out").iterdir()] == []
    collector.stdout.keep(lambda source, target: target.write(source.read().replace(b"secret", b"***")))
    assert collector.stdout.path is not None
    assert collector.stdout.path.read_bytes() == b"*** text"
    assert collector.stdout.path.stat().st_mode & 0o777 == 0o600
    collector.stderr.keep(lambda source, target: None)
    assert collector.stderr.path is None
    collector.close()
