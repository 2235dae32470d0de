"""The keys a login offers: from the credential, from files, from the agent; each with a name for messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from runner.transport.port import Login
from runner.transport.ssh_settings import DEFAULT_KEYS, Settings
from runner.values import Secret

#: What asyncssh signs with: a private key with or without a certificate, or a key that an agent holds.
Signer = asyncssh.SSHKey | tuple[asyncssh.SSHKey, asyncssh.SSHCertificate] | asyncssh.SSHKeyPair


@dataclass(frozen=True, slots=True)
class Offer:
    """One key to offer, and what it is called in messages."""

    signer: Signer
    label: str


class KeyUnusable(Exception):
    """A key cannot be used; ``code`` is ``key-unreadable``, ``passphrase-missing`` or ``passphrase-wrong``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class KeyRing:
    """Opens each private key once for a whole run: a passphrase costs a tenth of a second of computing."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str | Secret, Secret | None], asyncio.Task[asyncssh.SSHKey]] = {}
        self._looked: dict[Path, asyncio.Task[bool]] = {}

    async def holds(self, path: Path) -> bool:
        """Whether there is such a file; looked for once, in a thread, as a home may lie on a slow network."""
        if path not in self._looked:
            self._looked[path] = asyncio.create_task(asyncio.to_thread(path.is_file))
        return await asyncio.shield(self._looked[path])

    async def from_file(self, path: Path, passphrase: Secret | None) -> asyncssh.SSHKey:
        """The private key of a file.

        Raises:
            KeyUnusable: it cannot be read, is no private key, or needs another passphrase.

        """
        return await self._once(str(path), passphrase, lambda: _import(_read(path), passphrase, f"`{path}`"))

    async def from_text(self, text: Secret, passphrase: Secret | None) -> asyncssh.SSHKey:
        """The private key that a credential holds as text.

        Raises:
            KeyUnusable: it is no private key, or needs another passphrase.

        """
        data = text.reveal().strip() + "\n"
        name = "the credential's `private_key`"
        return await self._once(text, passphrase, lambda: _import(data.encode(), passphrase, name))

    async def _once(
        self, name: str | Secret, passphrase: Secret | None, load: Callable[[], asyncssh.SSHKey]
    ) -> asyncssh.SSHKey:
        task = self._opened.get((name, passphrase))
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(load))
            # Whoever waits may be cancelled first; the error is kept for the next and is no surprise.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._opened[(name, passphrase)] = task
        return await asyncio.shield(task)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyUnusable("key-unreadable", f"the key `{path}` cannot be read: {error.strerror}") from error


def _import(data: bytes, passphrase: Secret | None, name: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(data, passphrase.reveal() if passphrase else None)
    except asyncssh.KeyEncryptionError as error:
        raise KeyUnusable("passphrase-wrong", f"the passphrase does not open {name}") from error
    except asyncssh.KeyImportError as error:
        if passphrase is None and "assphrase" in str(error):
            raise KeyUnusable(
                "passphrase-missing", f"{name} is encrypted and there is no passphrase"
            ) from error
        raise KeyUnusable(
            "key-unreadable", f"{name} holds no private key that is understood: {error}"
        ) from error


class Identities:
    """The keys of one connection, in the order they are offered.

    The order is ssh's with one change: a key that is named comes before the agent's, so that a well-filled agent
    does not use up the server's MaxAuthTries. ``unusable`` gathers why named keys could not be offered.
    """

    def __init__(self, settings: Settings, login: Login | None, ring: KeyRing, home: Path) -> None:
        self._settings = settings
        self._login = login or Login()
        self._ring = ring
        self._home = home
        self._seen: set[bytes] = set()
        self._stack = AsyncExitStack()
        self._agent_keys: list[asyncssh.SSHKeyPair] | None = None
        self.unusable: list[tuple[str, str]] = []

    async def offers(self) -> AsyncGenerator[Offer, None]:
        """The keys one after another; what is not asked for is not opened."""
        if self._login.private_key is not None:
            yield await self._credential_key(self._login.private_key)
        for path in self._settings.identities:
            if offer := await self._file(path, named=True):
                yield offer
        explicit = self._login.private_key is not None or self._login.password is not None
        if self._login.agent or not (explicit or self._settings.enabled("IdentitiesOnly", False)):
            for pair in await self._agent():
                if pair.public_data not in self._seen:
                    yield self._agent_offer(pair)
        if self._settings.default_keys and not (explicit or self._login.agent):
            for name in DEFAULT_KEYS:
                if offer := await self._file(self._home / ".ssh" / name, named=False):
                    yield offer

    async def close(self) -> None:
        """Leave the agent alone."""
        await self._stack.aclose()

    async def _credential_key(self, text: Secret) -> Offer:
        key = await self._ring.from_text(text, self._login.passphrase)
        self._seen.add(key.public_data)
        if self._login.certificate is None:
            return Offer(key, "publickey (the credential's key)")
        try:
            certificate = asyncssh.import_certificate(self._login.certificate.strip())
        except asyncssh.KeyImportError as error:
            raise KeyUnusable(
                "key-unreadable", f"the credential's `certificate` is not understood: {error}"
            ) from error
        return Offer((key, certificate), "publickey (the credential's key and certificate)")

    async def _file(self, path: Path, *, named: bool) -> Offer | None:
        if not named and not await self._ring.holds(path):
            return None
        label = f"publickey ({self._shown(path)})"
        certificate = self._certificate(path)
        try:
            key = await self._ring.from_file(path, self._login.passphrase)
        except KeyUnusable as problem:
            pair = await self._from_agent(path)
            if pair is not None:
                return Offer(pair, f"publickey ({self._shown(path)}, agent)")
            if named:
                self.unusable.append((problem.code, str(problem)))
            return None
        if key.public_data in self._seen:
            return None
        self._seen.add(key.public_data)
        return Offer((key, certificate) if certificate else key, label)

    def _certificate(self, path: Path) -> asyncssh.SSHCertificate | None:
        """The certificate beside a key (``key-cert.pub``), or the one of ``CertificateFile`` for it."""
        for candidate in (*self._settings.certificates, path.with_name(f"{path.name}-cert.pub")):
            try:
                certificate = asyncssh.read_certificate(candidate)
            except (OSError, asyncssh.KeyImportError):
                continue
            beside = candidate.name == f"{path.name}-cert.pub"
            if beside or certificate.key.public_data == _public_data(path):
                return certificate
        return None

    async def _from_agent(self, path: Path) -> asyncssh.SSHKeyPair | None:
        """The agent's pair for a key whose private half cannot be opened here but whose public half lies beside."""
        public = _public_data(path)
        for pair in await self._agent() if public else ():
            if pair.key_public_data == public and pair.public_data not in self._seen:
                self._seen.add(pair.public_data)
                return pair
        return None

    async def _agent(self) -> Sequence[asyncssh.SSHKeyPair]:
        """The agent's keys; an agent that does not answer has none."""
        if self._agent_keys is None:
            self._agent_keys = []
            if self._settings.agent:
                try:
                    agent = await asyncssh.connect_agent(self._settings.agent)
                    await self._stack.enter_async_context(agent)
                    self._agent_keys = list(await agent.get_keys())
                except (OSError, ValueError, asyncssh.Error):
                    if self._login.agent:
                        self.unusable.append(
                            ("agent-unreachable", f"the ssh agent at {self._settings.agent} does not answer")
                        )
            elif self._login.agent:
                self.unusable.append(
                    ("agent-unreachable", "there is no ssh agent: `SSH_AUTH_SOCK` is not set")
                )
        return self._agent_keys

    def _agent_offer(self, pair: asyncssh.SSHKeyPair) -> Offer:
        self._seen.add(pair.public_data)
        comment = pair.get_comment(errors="replace") or pair.get_algorithm()
        return Offer(pair, f"publickey (agent: {comment})")

    def _shown(self, path: Path) -> str:
        return f"~/{path.relative_to(self._home)}" if path.is_relative_to(self._home) else str(path)


def _public_data(path: Path) -> bytes | None:
    """The public half of a key: from ``path.pub``, or from ``path`` where that is itself a public key."""
    for candidate in (path.with_name(f"{path.name}.pub"), path):
        try:
            return asyncssh.read_public_key(candidate).public_data
        except (OSError, asyncssh.KeyImportError):
            continue
    return None
