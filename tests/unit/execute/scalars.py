"""Text as a node of a document."""

from __future__ import annotations

from runner.document.nodes import Scalar, Source


def scalar(text: str) -> Scalar:
    source, end = Source("playbook.yml", text, ""), len(text)
    return Scalar(source, 1, 1, 1, end + 1, value=text, text=text, style="plain", start=0, end=end)
