"""``known_hosts``: which keys a host may show, which it must never show, and remembering a new one.

asyncssh reads such files too, but cannot say which line an offending key stands in, parses them again for every host,
and matches addresses that ssh (CheckHostIP no) does not. Format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.transport.ssh_config import host_matches

_DEFAULT_PORT = 22
_SALT_BYTES = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: ``marker`` is None, ``cert-authority`` or ``revoked``; ``key`` is the public key as on the wire."""

    marker: str | None
    names: str
    algorithm: str
    key: bytes
    source: str


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What the files say of one host."""

    trusted: tuple[Entry, ...] = ()
    authorities: tuple[Entry, ...] = ()
    revoked: tuple[Entry, ...] = ()


def entry_name(host: str, port: int) -> str:
    """The name a host has in the file: ``host``, or ``[host]:port`` for a port of its own."""
    return host.lower() if port == _DEFAULT_PORT else f"[{host.lower()}]:{port}"


def parse_entries(text: str, path: str) -> Iterator[Entry]:
    """The entries of a file; lines that are none are passed over, as ssh does."""
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0)[1:] if fields[0].startswith("@") else None
        if marker not in (None, "cert-authority", "revoked") or len(fields) < 3:
            continue
        try:
            key = base64.b64decode(fields[2], validate=True)
        except ValueError:
            continue
        yield Entry(marker, fields[0], fields[1], key, f"{path}:{number}")


class KnownHosts:
    """The entries of some files; looked up by name in one step, by pattern and hash one after another."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._exact: dict[str, list[Entry]] = {}
        self._patterns: list[Entry] = []
        self._hashed: list[tuple[bytes, bytes, Entry]] = []
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take one more entry in."""
        if entry.names.startswith("|1|"):
            try:
                salt, digest = (base64.b64decode(part) for part in entry.names[3:].split("|"))
            except ValueError:
                return
            self._hashed.append((salt, digest, entry))
        elif any(character in entry.names for character in "*?!"):
            self._patterns.append(entry)
        else:
            for name in entry.names.lower().split(","):
                self._exact.setdefault(name, []).append(entry)

    def keys(self, host: str, port: int) -> KnownKeys:
        """What is known of a host; where nothing stands under its port, what stands under its name alone."""
        found = self._named(entry_name(host, port))
        if port != _DEFAULT_PORT and not any(entry.marker != "revoked" for entry in found):
            found += self._named(host.lower())
        return KnownKeys(
            tuple(entry for entry in found if entry.marker is None),
            tuple(entry for entry in found if entry.marker == "cert-authority"),
            tuple(entry for entry in found if entry.marker == "revoked"),
        )

    def holds(self, entry: Entry) -> bool:
        """Whether a plain entry stands here already, under a name or its hash."""
        return any(other.key == entry.key and other.marker is None for other in self._named(entry.names))

    def _named(self, name: str) -> list[Entry]:
        encoded = name.encode()
        return [
            *self._exact.get(name, ()),
            *(entry for entry in self._patterns if host_matches(name, entry.names.split(","))),
            *(e for salt, digest, e in self._hashed if hmac.digest(salt, encoded, "sha1") == digest),
        ]


def hashed_name(name: str) -> str:
    """The name as ``HashKnownHosts yes`` writes it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def append_entry(path: Path, names: str, public_key: str) -> None:
    """Add a line to a file, whole, whoever else writes to it; the file is made with mode 600, its folder with 700.

    ``public_key`` is ``algorithm base64``.

    Raises:
        OSError: it cannot be written.

    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One write with O_APPEND is never torn by another writer, so no lock is needed.
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{_missing_newline(descriptor)}{names} {public_key}\n".encode())
    finally:
        os.close(descriptor)


def _missing_newline(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


class KnownHostsFiles:
    """Keeps each set of files parsed for as long as none of them changes; remembers keys accepted in this process."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[Path, ...], tuple[tuple[object, ...], KnownHosts]] = {}
        self._accepted: dict[tuple[Path, ...], list[Entry]] = {}

    def known(self, paths: Sequence[Path]) -> KnownHosts:
        """The entries of the files that are there, with those accepted before."""
        key = tuple(paths)
        state = tuple(_state(path) for path in key)
        held = self._parsed.get(key)
        if held is None or held[0] != state:
            known = KnownHosts(entry for path in key for entry in _entries(path))
            for entry in self._accepted.get(key, ()):
                if not known.holds(entry):
                    known.add(entry)
            self._parsed[key] = held = (state, known)
        return held[1]

    def accept(self, paths: Sequence[Path], name: str, public_key: str, *, hashed: bool) -> None:
        """Remember a new host key, in the first file and at once for everyone who connects now.

        Raises:
            OSError: the file cannot be written.

        """
        key, known = tuple(paths), self.known(paths)
        algorithm, encoded = public_key.split()[:2]
        append_entry(paths[0], hashed_name(name) if hashed else name, f"{algorithm} {encoded}")
        entry = Entry(None, name, algorithm, base64.b64decode(encoded), str(paths[0]))
        known.add(entry)
        self._accepted.setdefault(key, []).append(entry)
        # Our own line changed the files, but reading them all again for each new host would take the run's time.
        self._parsed[key] = (tuple(_state(path) for path in key), known)


def _state(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _entries(path: Path) -> Iterator[Entry]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return  # as ssh does; any other error must not make a known host look new
    yield from parse_entries(text, str(path))
