"""`runner apply --allowed-signers`: signatures made and checked by ssh-keygen itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import Typed

BOOK = "version: 1\nname: Signed\nsteps:\n  - {id: one, script: touch ran}\n"

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def keygen(*words: str, folder: Path) -> None:
    """Run ssh-keygen in a folder."""
    subprocess.run(
        ["ssh-keygen", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def key(folder: Path, name: str) -> str:
    """Make a key; gives its public half."""
    keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name, folder=folder)
    return (folder / f"{name}.pub").read_text(encoding="utf-8").strip()


def sign(folder: Path, name: str, namespace: str = "runner-plan") -> None:
    """Sign the plan."""
    (folder / "p.plan.sig").unlink(missing_ok=True)
    keygen("-Y", "sign", "-n", namespace, "-f", name, "p.plan", folder=folder)


@pytest.fixture
def place(folder: Path, typed: Typed) -> Path:
    """A plan, two keys, and a file that allows the first of them to sign as ops@example.com."""
    (folder / ".runner").mkdir()
    (folder / "book.yml").write_text(BOOK, encoding="utf-8")
    assert typed("plan", "book.yml", "--out", "p.plan").code == 0
    allowed = key(folder, "ops")
    key(folder, "eve")
    (folder / "allowed").write_text(f"ops@example.com {allowed}\n", encoding="utf-8")
    return folder


def test_a_signed_plan_runs(place: Path, typed: Typed) -> None:
    """A signature by an allowed key is accepted, and who signed is told."""
    sign(place, "ops")
    done = typed("apply", "p.plan", "--allowed-signers", "allowed", "-o", "quiet")
    assert done.code == 0, done.err
    assert "signed by ops@example.com" in done.err
    assert (place / "ran").exists()


def test_the_signer_and_the_signature_can_be_named(place: Path, typed: Typed) -> None:
    """`--signature` names the file, `--signer` who must have signed; another name is refused."""
    sign(place, "ops")
    (place / "p.plan.sig").rename(place / "other.sig")
    words = ("apply", "p.plan", "--allowed-signers", "allowed", "--signature", "other.sig", "-o", "quiet")
    done = typed(*words, "--signer", "dev@example.com")
    assert done.code == 2
    assert "error[plan-signature]" in done.err
    assert not (place / "ran").exists()
    assert typed(*words, "--signer", "ops@example.com").code == 0


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("unsigned", "is not signed: there is no file `p.plan.sig`"),
        ("other key", "nobody in `allowed` has the key"),
        ("other namespace", "is no signature of it by `ops@example.com`"),
        ("plan edited", "is no signature of it by `ops@example.com`"),
        ("damaged", "is not accepted"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(spoil: str, told: str, place: Path, typed: Typed) -> None:
    """Missing, bad, by another key, for another purpose, of other bytes: exit code 2, and nothing runs."""
    if spoil == "other key":
        sign(place, "eve")
    elif spoil == "other namespace":
        sign(place, "ops", "file")
    elif spoil in {"plan edited", "damaged"}:
        sign(place, "ops")
    if spoil == "plan edited":
        (place / "p.plan").write_bytes((place / "p.plan").read_bytes() + b" ")
    if spoil == "damaged":
        (place / "p.plan.sig").write_text("nothing like it", encoding="utf-8")
    done = typed("apply", "p.plan", "--allowed-signers", "allowed")
    assert done.code == 2
    assert "error[plan-signature]" in done.err
    assert told in done.err
    assert "nothing was run" in done.err
    assert not (place / "ran").exists()


def test_the_environment_can_demand_a_signature(
    place: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With RUNNER_ALLOWED_SIGNERS no unsigned plan runs."""
    monkeypatch.setenv("RUNNER_ALLOWED_SIGNERS", "allowed")
    assert typed("apply", "p.plan").code == 2
    sign(place, "ops")
    assert typed("apply", "p.plan", "-o", "quiet").code == 0


def test_a_signature_without_allowed_signers_is_refused(place: Path, typed: Typed) -> None:
    """A signature that nobody says whose it must be proves nothing."""
    sign(place, "ops")
    done = typed("apply", "p.plan", "--signature", "p.plan.sig")
    assert done.code == 2
    assert "nothing says who may sign" in done.err


def test_no_allowed_signers_file_is_refused(place: Path, typed: Typed) -> None:
    """A file that is not there allows nobody."""
    sign(place, "ops")
    done = typed("apply", "p.plan", "--allowed-signers", "none")
    assert done.code == 2
    assert "there is no file `none`" in done.err


def test_a_missing_ssh_keygen_is_told(place: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program nothing is accepted, and it is said where it comes from."""
    sign(place, "ops")
    monkeypatch.setenv("PATH", str(place))
    done = typed("apply", "p.plan", "--allowed-signers", "allowed")
    assert done.code == 2
    assert "`ssh-keygen` is missing" in done.err


def test_the_signature_comes_before_everything_else(place: Path, typed: Typed) -> None:
    """A file that is not accepted is not even read as a plan."""
    (place / "p.plan").write_text("no plan", encoding="utf-8")
    sign(place, "eve")
    assert "error[plan-signature]" in typed("apply", "p.plan", "--allowed-signers", "allowed").err
    sign(place, "ops")
    assert "error[plan-file]" in typed("apply", "p.plan", "--allowed-signers", "allowed").err
