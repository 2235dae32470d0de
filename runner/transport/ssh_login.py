"""The conversation from the first byte to being logged in, as asyncssh's callbacks see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import asyncssh

from runner.transport.endpoint import HostKeyChecking
from runner.transport.port import Login
from runner.transport.ssh_errors import Attempt, Phase
from runner.transport.ssh_host_keys import HostKeyCheck
from runner.transport.ssh_identities import Identities, KeyUnusable, Offer, Signer


class Greeter(asyncssh.SSHClient):
    """Answers asyncssh while it connects: host key, keys one by one, the password once.

    What it learns goes into ``attempt``, which words the error if the connection comes to nothing.
    """

    def __init__(
        self, attempt: Attempt, check: HostKeyCheck, identities: Identities, login: Login | None
    ) -> None:
        self._attempt = attempt
        self._check = check
        self._identities = identities
        self._offers: AsyncGenerator[Offer, None] | None = None
        self._password = login.password if login else None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._new_key: asyncssh.SSHKey | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """The way to the server is open."""
        self._connection = conn
        self._attempt.phase = Phase.BANNER

    def note_progress(self) -> None:
        """Correct the phase: asyncssh does not call when the server has said its version."""
        said = self._connection is not None and self._connection.get_extra_info("server_version")
        if said and self._attempt.phase is Phase.BANNER:
            self._attempt.phase = Phase.HANDSHAKE

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Decide on a plain host key."""
        self._attempt.refusal = self._check.refusal(key)
        self._new_key = key
        return self._attempt.refusal is None

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Decide on the authority of a host certificate; asyncssh checks the certificate itself."""
        self._attempt.refusal = self._check.authority_refusal(key)
        return self._attempt.refusal is None

    def begin_auth(self, username: str) -> None:
        """The host has proved that it owns its key: now a new one may be remembered."""
        self._attempt.phase = Phase.LOGIN
        if self._new_key is not None and self._check.settings.checking is HostKeyChecking.ACCEPT_NEW:
            self._attempt.refusal = self._check.remember(self._new_key)
            if self._attempt.refusal is not None and self._connection is not None:
                self._connection.abort()

    async def public_key_auth_requested(self) -> Signer | None:
        """Offer the next key."""
        if self._offers is None:
            self._offers = self._identities.offers()
        try:
            offer = await anext(self._offers, None)
        except KeyUnusable as problem:
            self._attempt.unusable.append((problem.code, str(problem)))
            return None
        if offer is None:
            self._attempt.unusable.extend(self._identities.unusable)
            return None
        self._attempt.tried.append(offer.label)
        return offer.signer

    async def finish(self) -> None:
        """Let go of the keys that were not needed and of the agent."""
        if self._offers is not None:
            await self._offers.aclose()
        await self._identities.close()

    def password_auth_requested(self) -> str | None:
        """Give the password, once."""
        return self._take_password("password")

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        """A run cannot think up a new password."""
        self._attempt.password_expired = True
        raise asyncssh.PermissionDenied("the password has expired")

    def kbdint_auth_requested(self) -> str | None:
        """Take part in keyboard-interactive while there is a password to answer with."""
        return "" if self._password is not None else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answer the one hidden prompt with the password; nothing else can be answered without a person."""
        if not prompts:
            return []
        if len(prompts) > 1 or prompts[0][1]:
            return None
        password = self._take_password("keyboard-interactive")
        return None if password is None else [password]

    def _take_password(self, method: str) -> str | None:
        if self._password is None:
            return None
        self._attempt.tried.append(method)
        text, self._password = self._password.reveal(), None
        return text
