"""Every relative link of README, CHANGELOG and docs leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generators.markdown import anchor
from tests.docs.conftest import PAGES, ROOT, page_id

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return _FENCED.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Where the links of a page lead; what looks like one in code is none."""
    return _LINK.findall(_CODE.sub("", prose(path)))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    return {anchor(line.lstrip("#")) for line in prose(path).splitlines() if line.startswith("#")}


def broken(path: Path) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, heading = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        found = target.exists() and target.is_relative_to(ROOT)
        if not found or (heading and heading not in anchors(target)):
            yield link


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_resolve(path: Path) -> None:
    """Files exist in the repository, headings in the files."""
    assert list(broken(path)) == []


def test_every_page_is_reached() -> None:
    """From the README, link by link, every page of docs can be found."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.is_dir():
            waiting += page.glob("*.md")  # a link to a folder shows its pages
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    assert {page_id(page) for page in PAGES} - {page_id(page) for page in reached} <= {"CHANGELOG.md"}
