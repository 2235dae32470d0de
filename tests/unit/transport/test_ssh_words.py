"""The words of ssh_config."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from runner.transport.ssh_words import (
    FOLLOWED,
    SSH_OPTION_WORDS,
    UNSUPPORTED,
    canonical_word,
)


def test_every_word_is_followed_or_has_a_reason() -> None:
    """No word is both followed and unsupported, and each unsupported one says why."""
    assert not FOLLOWED & UNSUPPORTED.keys()
    assert FOLLOWED | UNSUPPORTED.keys() == SSH_OPTION_WORDS
    assert all(UNSUPPORTED.values())


@pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's ssh is not installed")
def test_ssh_itself_has_no_other_words() -> None:
    """Every word that this machine's ssh prints for a host is known."""
    printed = subprocess.run(
        ["ssh", "-G", "-F", "/dev/null", "host"], capture_output=True, text=True, check=True
    ).stdout
    words = {line.split()[0] for line in printed.splitlines()}
    # `host` is what was asked for; ssh has more names for words of its own than the manual tells.
    assert {word for word in words if canonical_word(word) is None} <= {"host"}


def test_words_in_any_case() -> None:
    """Words are known in any case and by older names, and given back as the manual spells them."""
    assert canonical_word("IDENTITYFILE") == "IdentityFile"
    assert canonical_word("PubkeyAcceptedKeyTypes") == "PubkeyAcceptedAlgorithms"
