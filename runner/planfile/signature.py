"""Detached signatures of plan files, by OpenSSH's own program: `ssh-keygen -Y verify` (ssh-keygen(1), allowed_signers).

The same bytes are verified and parsed: they are read once and handed to the program over standard input.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.document.reader import written_path
from runner.errors import UsageError

NAMESPACE: Final = "runner-plan"
"""What a signature is for (``-n``): one that was made for anything else is none."""

_SECONDS: Final = 60
"""The program reads two small files and computes; this long means that it hangs, on a FIFO say."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What is asked of the signature.

    Attributes:
        allowed_signers: path of the file in the form of ssh-keygen(1).
        signature: path of the signature; None is the plan's own path with ``.sig`` behind it.
        signer: the identity that must have signed; None takes any that the file allows.

    """

    allowed_signers: str
    signature: str | None = None
    signer: str | None = None


def sign_with(path: str) -> str:
    """The command that signs a plan file."""
    return f"ssh-keygen -Y sign -n {NAMESPACE} -f KEY {path}"


def verify(content: bytes, path: str, signing: Signing) -> str:
    """Check the signature of a plan file; gives the identity that signed it.

    Args:
        content: the bytes of the plan file.
        path: of the plan file, as it was given.
        signing: what is asked.

    Raises:
        UsageError: ``plan-signature``: there is none, it does not fit, or who made it is not allowed.

    """
    signature = signing.signature or f"{path}.sig"
    _must_be_there(
        signature,
        f"the plan file `{path}` is not signed: there is no file `{signature}`",
        f"sign it: `{sign_with(path)}`",
    )
    _must_be_there(
        signing.allowed_signers,
        f"who may sign plans cannot be read: there is no file `{signing.allowed_signers}`",
        "a line of it: `NAME ssh-ed25519 AAAA...` (see ssh-keygen(1), ALLOWED SIGNERS)",
    )
    files = ["-f", str(written_path(signing.allowed_signers)), "-s", str(written_path(signature))]
    if signing.signer is not None:
        identities: Sequence[str] = [signing.signer]
    else:
        found = _ssh_keygen(["-Y", "find-principals", *files], b"")
        identities = [name for name in found.stdout.decode(errors="replace").splitlines() if name.strip()]
        if found.returncode != 0 or not identities:
            raise _refused(
                path,
                f"nobody in `{signing.allowed_signers}` has the key that made `{signature}`",
                _words(found),
            )
    told = ""
    for identity in identities:
        done = _ssh_keygen(["-Y", "verify", *files, "-n", NAMESPACE, "-I", identity], content)
        if done.returncode == 0:
            return identity
        told = _words(done)
    raise _refused(path, f"`{signature}` is no signature of it by `{'` or `'.join(identities)}`", told)


def _must_be_there(path: str, message: str, hint: str) -> None:
    if not Path(written_path(path)).is_file():
        raise UsageError("plan-signature", f"{message}; nothing was run", hints=(hint,))


def _refused(path: str, why: str, told: str) -> UsageError:
    hints = [f"ssh-keygen says: {told}"] if told else []
    return UsageError(
        "plan-signature",
        f"the signature of the plan file `{path}` is not accepted: {why}; nothing was run",
        hints=(*hints, f"it is made with: `{sign_with(path)}`"),
    )


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join((done.stderr or done.stdout).decode(errors="replace").split())


def _ssh_keygen(words: Sequence[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *words], input=content, capture_output=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError as error:
        raise UsageError(
            "plan-signature",
            "`ssh-keygen` is missing, which checks signatures of plan files; nothing was run",
            hints=("it comes with the OpenSSH client, 8.2 or later: e.g. `apt install openssh-client`",),
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(
            "plan-signature",
            f"`ssh-keygen` did not check the signature: {error}; nothing was run",
        ) from error
