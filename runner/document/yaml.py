"""Builds the tree of a YAML file straight from the parser's events, each node with its place.

PyYAML's own composer is slow and loses what is needed here: keys that stand twice, where values truly end, and how
they were written. So only its parser is used.
"""

from __future__ import annotations

import re
from typing import Final

import yaml

from runner.document.anchors import Anchors
from runner.document.characters import check_characters
from runner.document.collection import collection_paused
from runner.document.events import Event, Events, Mark, open_parser
from runner.document.lines import Lines
from runner.document.mappings import entries_of, is_nothing
from runner.document.nodes import AnyNode, Document, Mapping, Scalar, ScalarValue, Sequence, Source, Style
from runner.document.positions import advance, span_in_text
from runner.document.scalars import Resolve, core, old
from runner.document.syntax import note_syntax_error
from runner.document.syntax_block import glued_key
from runner.document.syntax_text import template_problem
from runner.document.tags import apply_scalar_tag, check_collection_tag
from runner.document.vault import is_vaulted
from runner.problems import Problems
from runner.values import Span

DEEPEST: Final = 200
"""Lists and mappings that may stand inside each other, aliases followed; no tree reaches Python's recursion limit."""

TOLD_AT_MOST: Final = 1000
"""Problems after which a file is not read further; no person reads so many, and each costs a look at the text."""

_PROPERTIES: Final = re.compile(r"(?:(?:&[0-9A-Za-z_-]+|![^\s]*)(?:\s+(?:#[^\r\n]*\s+)*)?)+")
_NOTHING_MORE: Final = re.compile(r"[ \t]*(?:[#,\]}\r\n]|\Z)")
_STYLES: Final[dict[str | None, Style]] = {
    None: "plain", "": "plain", "'": "single", '"': "double", "|": "literal", ">": "folded",
}  # fmt: skip


def load(source: Source, problems: Problems, *, ansible: bool = False) -> Document:
    """The tree of a YAML file.

    Args:
        source: the text; a byte order mark is already off.
        problems: takes everything that is wrong; nothing is raised.
        ansible: read scalars as Ansible does (YAML 1.1), allow its tags ``!vault`` and ``!unsafe``, take the last of
            two equal keys with a warning as it does, and let a file be empty.

    Returns:
        The document. ``root`` is None where the file is empty or its syntax is broken. After other problems (a
        key that stands twice, an unknown anchor or tag) there is a tree, so that later stages can tell of more.

    """
    if is_vaulted(source, problems) or not check_characters(source, problems):
        return Document(source, None)
    builder = _Builder(source, problems, ansible=ansible)
    try:
        with collection_paused():
            root = builder.build(open_parser(source.text))
    except _Stopped:
        return Document(source, None)
    except yaml.YAMLError as error:
        note_syntax_error(source, error, problems, builder.last)
        return Document(source, None)
    if root is None and not ansible:
        problems.error(
            "empty-document", f"`{source.path}` holds nothing but blanks and comments", Span(source.path)
        )
    return Document(source, root, builder.anchors.by_name())


class _Stopped(Exception):
    """Reading on would be useless or dear."""


class _Frame:
    """A list or mapping that is still open; a mapping's values are keys and values in turn."""

    __slots__ = ("before", "event", "height", "values")

    def __init__(self, event: Event, before: int) -> None:
        self.event = event
        self.before = before
        self.height = 1
        self.values: list[AnyNode] = []


class _Builder:
    """Turns events into nodes with a stack of its own, so that no nesting can exhaust Python's."""

    def __init__(self, source: Source, problems: Problems, *, ansible: bool) -> None:
        self._source = source
        self._problems = problems
        self._ansible = ansible
        self._resolve: Resolve = old if ansible else core
        self._stack: list[_Frame] = []
        self._written = 0
        self._end = (
            1,
            1,
        )  # where the last value ended: libyaml's ends of block collections run on to the next token
        self._patience = len(problems) + TOLD_AT_MOST
        self.anchors = Anchors(problems)
        self.last: Scalar | None = None

    def build(self, events: Events) -> AnyNode | None:
        """The root of the first document; None where it is empty.

        Raises:
            yaml.YAMLError: the syntax is broken.
            _Stopped: a limit is passed, and noted.

        """
        stack = self._stack
        while (event := events.get_event()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                stack[-1].values.append(self._scalar(event))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event)
            elif kind is yaml.MappingEndEvent:
                self._close(event, mapping=True)
            elif kind is yaml.SequenceEndEvent:
                self._close(event, mapping=False)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                if stack:
                    self._note_second_document(event.start_mark)
                    break
                stack.append(_Frame(event, 0))
        roots = stack[0].values if stack else []
        return roots[0] if roots and not is_nothing(roots[0]) else None

    def _scalar(self, event: Event) -> Scalar:
        self._written += 1
        start, end, text = event.start_mark, event.end_mark, event.value
        style = _STYLES[event.style]
        value: ScalarValue = self._resolve(text) if style == "plain" else text
        scalar = Scalar(
            self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1,
            value=value, text=text, style=style, start=start.index, end=end.index,
        )  # fmt: skip
        if style == "literal" or style == "folded":  # noqa: PLR1714 - a set is slower, and every scalar comes by here
            self._trim_block(scalar)
        elif style == "plain" and start.line != end.line:
            self._check_lines(scalar, event)
        if not text and scalar.end >= len(self._source.text):
            self._keep_inside(scalar)
        if event.tag is not None or event.anchor is not None:
            self._properties(scalar, event)
        self._end = (scalar.end_line, scalar.end_column)
        self.last = scalar
        return scalar

    def _keep_inside(self, scalar: Scalar) -> None:
        """Place a value at the end of the text there: libyaml counts a line more where the last line has no break."""
        text, length = self._source.text, len(self._source.text)
        scalar.start, scalar.end = min(scalar.start, length), length
        scalar.line, scalar.column = advance(text, 0, scalar.start)
        scalar.end_line, scalar.end_column = advance(text, scalar.start, length, scalar.line, scalar.column)

    def _trim_block(self, scalar: Scalar) -> None:
        """End the span of a block after its last visible character; its offsets keep the line breaks."""
        text = self._source.text
        seen = scalar.start + len(text[scalar.start : scalar.end].rstrip())
        scalar.end_line, scalar.end_column = advance(text, scalar.start, seen, scalar.line, scalar.column)

    def _check_lines(self, scalar: Scalar, event: Event) -> None:
        """Tell of lines that were meant as keys: ``src:a`` above ``dest:b`` is one text."""
        lines, at = Lines(self._source), scalar.start
        first = problem = glued_key(lines, at)
        while problem is not None and (at := lines.next(at)) < scalar.end:
            problem = glued_key(lines, lines.first(at))
        if first is not None and problem is not None:
            self._problems.add(first)
            self._check_patience(event)

    def _properties(self, scalar: Scalar, event: Event) -> None:
        """Apply a tag, remember an anchor, and let the scalar begin where its text does."""
        text, span = self._source.text, scalar.span
        if scalar.text or scalar.style != "plain":
            match = _PROPERTIES.match(text, scalar.start, scalar.end)
            content = match.end() if match else scalar.start
            scalar.line, scalar.column = advance(text, scalar.start, content, scalar.line, scalar.column)
            scalar.start = content
        if event.tag is not None:
            apply_scalar_tag(
                scalar, event.tag, span, self._problems, resolve=self._resolve, ansible=self._ansible
            )
        if event.anchor is not None:
            self.anchors.end(event.anchor, span, scalar)
        self._check_patience(event)

    def _check_patience(self, event: Event) -> None:
        if len(self._problems) >= self._patience:
            self._problems.error(
                "too-many-problems",
                f"this file has {TOLD_AT_MOST:,} problems up to here, so it was not read further",
                self._span(event),
                "mend the first ones; a file of another kind may have been named by mistake",
            )
            raise _Stopped

    def _open(self, event: Event) -> None:
        self._written += 1
        if len(self._stack) > DEEPEST:
            self._stop_too_deep(self._span(event))
        self._stack.append(_Frame(event, self._written + self.anchors.repeated))
        if event.anchor is not None:
            self.anchors.begin(event.anchor, self._span(event))

    def _close(self, event: Event, *, mapping: bool) -> None:
        self._check_patience(event)
        frame = self._stack.pop()
        opening, end = frame.event, event.end_mark
        start = opening.start_mark
        flow = event.start_mark.index != end.index
        if flow:  # a bracket closes it, and that is its end
            self._end = (end.line + 1, end.column + 1)
        node: AnyNode
        if self._source.text.startswith("{{", start.index):
            node = self._template(start, end)
        elif mapping:
            entries = entries_of(frame.values, self._problems, flow=flow, ansible=self._ansible)
            node = Mapping(self._source, start.line + 1, start.column + 1, *self._end, entries=entries)
        else:
            node = Sequence(self._source, start.line + 1, start.column + 1, *self._end, items=frame.values)
        if opening.tag is not None:
            check_collection_tag(node, opening.tag, self._problems, ansible=self._ansible)
        if opening.anchor is not None:
            size = self._written + self.anchors.repeated - frame.before + 1
            self.anchors.end(opening.anchor, node.span, node, size=size, height=frame.height)
        parent = self._stack[-1]
        parent.values.append(node)
        if frame.height >= parent.height:
            parent.height = frame.height + 1

    def _template(self, start: Mark, end: Mark) -> Scalar:
        """The text that was meant where ``{{ x }}`` without quotes reads as a mapping in a mapping."""
        text = self._source.text[start.index : end.index]
        # Where more follows the parser stumbles next, and that problem, of the whole line, is to be the same one.
        closed = _NOTHING_MORE.match(self._source.text, end.index)
        self._problems.add(template_problem(self._source, start.index, end.index if closed else None))
        return Scalar(
            self._source, start.line + 1, start.column + 1, *self._end,
            value=text, text=text, style="plain", start=start.index, end=end.index,
        )  # fmt: skip

    def _alias(self, event: Event) -> None:
        self._check_patience(event)
        span, parent = self._span(event), self._stack[-1]
        self._end = (span.end_line, span.end_column)
        anchored = self.anchors.follow(event.anchor or "", span)
        if anchored is None or anchored.node is None:
            parent.values.append(self._nothing(event))
            return
        if self.anchors.exploded(written=self._written):
            self._problems.error(
                "alias-bomb",
                f"the aliases of this file repeat {self.anchors.repeated:,} values, which is refused as an alias bomb",
                span,
                "write the repeated parts once, e.g. as variables of a group",
            )
            raise _Stopped
        if len(self._stack) + anchored.height > DEEPEST:
            self._stop_too_deep(span)
        parent.height = max(parent.height, anchored.height + 1)
        parent.values.append(anchored.node)

    def _nothing(self, event: Event) -> Scalar:
        """What stands for an alias that leads nowhere."""
        start, end = event.start_mark, event.end_mark
        return Scalar(
            self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1,
            value=None, text="", style="plain", start=start.index, end=end.index,
        )  # fmt: skip

    def _stop_too_deep(self, span: Span) -> None:
        self._problems.error(
            "too-deep",
            f"lists and mappings stand more than {DEEPEST} deep inside each other here",
            span,
            "check the indentation, or split the file",
        )
        raise _Stopped

    def _note_second_document(self, mark: Mark) -> None:
        self._problems.error(
            "several-documents",
            "a second document begins here, a file holds one",
            span_in_text(self._source.path, self._source.text, mark.index, mark.index + 3),
            "remove the line `---`, or put what follows into a file of its own",
        )

    def _span(self, event: Event) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._source.path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
