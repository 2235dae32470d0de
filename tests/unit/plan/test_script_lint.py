"""The lint of scripts reads whatever it is given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.plan.script_lint import lint
from runner.using.model import Shell

PIECES = st.sampled_from(
    [
        "$PSScriptRoot",
        '"',
        "'",
        "$(",
        ")",
        "\u2013",
        "\u201c",
        "\u201d",
        "\u2019",
        "@'\n",
        "\n'@",
        "#",
        "<#",
        "`",
        "x",
        " ",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join), st.sampled_from(Shell))
def test_every_text_is_read_and_every_warning_has_its_place(text: str, shell: Shell) -> None:
    """No text is too broken; a warning stands at characters of the text, and never refuses the script."""
    found = list(lint(text, shell))

    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert not any(each.error for each in found)
    assert len({each.message for each in found}) == len(found)
