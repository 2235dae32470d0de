"""Client certificates: found by thumbprint in a folder, and looked at before anything connects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate

from runner.credentials.certificates import CertificateStore
from runner.credentials.logins import SeveralCredentialsError, read_logins
from runner.credentials.sources import SecretReader
from runner.document.nodes import Scalar, Source
from runner.playbook.model import Credential, SecretSource
from runner.problems import Problems
from runner.values import Span

SPAN = Span("p.yml", 4, 5)


@pytest.fixture(scope="module")
def issued() -> trustme.LeafCert:
    """A client's certificate with its key."""
    return trustme.CA().issue_cert("ops@example.com", common_name="ops")


def pem(issued: trustme.LeafCert) -> bytes:
    """The certificate alone."""
    return issued.cert_chain_pems[0].bytes()


def key_of(issued: trustme.LeafCert, password: bytes | None = None) -> bytes:
    """The private key, encrypted where a password is given."""
    if password is None:
        return issued.private_key_pem.bytes()
    loaded = load_pem_private_key(issued.private_key_pem.bytes(), None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))


def thumbprint(issued: trustme.LeafCert) -> str:
    """As Windows shows it."""
    return load_pem_x509_certificate(pem(issued)).fingerprint(SHA1()).hex().upper()


def told(store: CertificateStore, wanted: str) -> tuple[str, str]:
    """The code and all words of the refusal of a thumbprint."""
    problems = Problems()
    assert store.paths(wanted, SPAN, problems) is None
    (problem,) = problems
    assert problem.span == SPAN
    return problem.code, "\n".join([problem.message, *problem.hints])


@pytest.mark.parametrize("key", ["ops.key", "ops-key.pem", "ops.key.pem", None])
def test_a_thumbprint_finds_the_files(tmp_path: Path, issued: trustme.LeafCert, key: str | None) -> None:
    """In any case and with blanks; the key is in the same file or beside it, other files are passed over."""
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (tmp_path / "other.crt").write_bytes(pem(trustme.CA().issue_cert("x")))
    (tmp_path / "ops.pem").write_bytes(pem(issued) + (key_of(issued) if key is None else b""))
    if key is not None:
        (tmp_path / key).write_bytes(key_of(issued))
    written = thumbprint(issued).lower()
    spaced = " ".join(written[at : at + 2] for at in range(0, 40, 2))

    for text in (written, spaced):
        problems = Problems()
        found = CertificateStore(tmp_path).paths(text, SPAN, problems)
        assert found == (str(tmp_path / "ops.pem"), str(tmp_path / (key or "ops.pem")))
        assert not list(problems)


def test_an_unknown_thumbprint_lists_what_is_there(tmp_path: Path, issued: trustme.LeafCert) -> None:
    """Each certificate with its thumbprint, subject and last day, so that the right one can be copied."""
    (tmp_path / "ops.pem").write_bytes(pem(issued))
    code, words = told(CertificateStore(tmp_path), "00" * 20)

    assert code == "unknown-certificate"
    assert f"there is `{thumbprint(issued)}`" in words
    assert "CN=ops" in words
    assert (
        "holds no certificate" in told(CertificateStore(tmp_path / "."), "11" * 20)[1] or "there is" in words
    )


def test_without_a_store_it_is_said_how_to_give_one(tmp_path: Path) -> None:
    """The option, the setting, and the other way to log in by certificate; a folder that is not there is told too."""
    code, words = told(CertificateStore(None), "00" * 20)

    assert code == "certificate-store"
    assert "--certificates DIR" in words
    assert "`credential`" in words
    problems = Problems()
    CertificateStore(tmp_path / "none").paths("00" * 20, SPAN, problems)
    assert {"certificate-store", "unknown-certificate"} == {p.code for p in problems}


@pytest.mark.parametrize(("days", "words"), [(400000, "has expired on"), (-400000, "is valid from")])
def test_a_certificate_out_of_time_is_told(
    tmp_path: Path, issued: trustme.LeafCert, days: int, words: str
) -> None:
    """No host takes an expired certificate, nor one that is not valid yet."""
    (tmp_path / "ops.pem").write_bytes(pem(issued) + key_of(issued))
    now = datetime.now(UTC) + timedelta(days=days)
    code, message = told(CertificateStore(tmp_path, now=now), thumbprint(issued))

    assert code == "certificate-expired"
    assert words in message


@pytest.mark.parametrize(("password", "words"), [(None, "has no private key"), (b"x", "is encrypted")])
def test_a_certificate_without_a_usable_key_is_told(
    tmp_path: Path, issued: trustme.LeafCert, password: bytes | None, words: str
) -> None:
    """The key proves the login, and a thumbprint has no passphrase for it."""
    (tmp_path / "ops.pem").write_bytes(pem(issued))
    if password is not None:
        (tmp_path / "ops.key").write_bytes(key_of(issued, password))
    code, message = told(CertificateStore(tmp_path), thumbprint(issued))

    assert code == "certificate-key"
    assert words in message


def source(path: Path) -> SecretSource:
    """The secret that is a file's text."""
    node = Scalar(
        Source("p.yml", str(path)), 1, 1, 1, 1, value=str(path), text=str(path), style="plain", start=0, end=0
    )
    return SecretSource("file", node, SPAN)


def credential(folder: Path, **parts: bytes) -> Credential:
    """A credential whose parts are files."""
    sources = {}
    for name, data in parts.items():
        (folder / name).write_bytes(data)
        sources[name] = source(folder / name)
    return Credential(
        "ops",
        SPAN,
        certificate=sources.get("certificate"),
        private_key=sources.get("private_key"),
        passphrase=sources.get("passphrase"),
    )


def read(credential: Credential) -> object:
    """The login of the credential."""
    return read_logins({"ops": credential}, ["ops"], SecretReader())["ops"]


def test_a_credential_brings_certificate_and_key(tmp_path: Path, issued: trustme.LeafCert) -> None:
    """In two files or in one; the key is a secret wherever it stood, and opens with its passphrase."""
    apart = read(credential(tmp_path, certificate=pem(issued), private_key=key_of(issued)))
    together = read(credential(tmp_path, certificate=pem(issued) + key_of(issued)))
    locked = read(
        credential(tmp_path, certificate=pem(issued), private_key=key_of(issued, b"pw"), passphrase=b"pw\n")
    )

    for login in (apart, together, locked):
        assert "PRIVATE KEY" not in repr(login)
        assert "BEGIN CERTIFICATE" in login.certificate  # type: ignore[attr-defined]
        assert "PRIVATE KEY" in login.private_key.reveal()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"certificate"}, "has no private key"),
        ({"certificate", "other"}, "does not belong to the private key"),
        ({"certificate", "locked"}, "needs a passphrase"),
        ({"certificate", "private_key", "passphrase"}, "has none"),
        ({"certificate", "locked", "wrong"}, "another passphrase"),
        ({"broken", "private_key"}, "cannot be read"),
    ],
)
def test_a_certificate_that_cannot_log_in_is_told_before(
    tmp_path: Path, issued: trustme.LeafCert, parts: set[str], words: str
) -> None:
    """Before 2,000 hosts refuse it; nothing of the key is in the message."""
    all_parts = {
        "certificate": ("certificate", pem(issued)),
        "broken": ("certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "private_key": ("private_key", key_of(issued)),
        "other": ("private_key", key_of(trustme.CA().issue_cert("y"))),
        "locked": ("private_key", key_of(issued, b"pw")),
        "passphrase": ("passphrase", b"pw"),
        "wrong": ("passphrase", b"wrong"),
    }
    with pytest.raises(SeveralCredentialsError) as caught:
        read(credential(tmp_path, **dict(all_parts[part] for part in parts)))

    (problem,) = caught.value.problems
    assert problem.code == "certificate-unusable"
    assert problem.message.startswith("the certificate of credential `ops` ")
    assert words in problem.message
