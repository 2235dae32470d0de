"""What asyncssh is told of one connection, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from runner.transport.endpoint import HostKeyChecking
from runner.transport.ssh_config import first
from runner.transport.ssh_settings import Settings
from runner.transport.ssh_values import integer, seconds

#: Before asyncssh's own order, unless ``Ciphers`` says otherwise. All are equally good; for the small packets of
#: commands asyncssh computes 2 us with these and 15 us with ChaCha20, which needs three ciphers set up for each.
_QUICK_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
#: Words whose value goes to asyncssh as it is written, with asyncssh's name for it.
_PASSED_ON = {
    "Ciphers": "encryption_algs",
    "KexAlgorithms": "kex_algs",
    "MACs": "mac_algs",
    "PubkeyAcceptedAlgorithms": "signature_algs",
    "PKCS11Provider": "pkcs11_provider",
}


def connect_arguments(settings: Settings, host_key_algorithms: Sequence[str] | None) -> dict[str, Any]:
    """The keyword arguments of ``asyncssh.connect`` that do not depend on who logs in.

    Configuration files are kept from asyncssh: what they say is in the settings already.
    """
    values = settings.values
    methods = {
        "public_key_auth": ("PubkeyAuthentication", True),
        "password_auth": ("PasswordAuthentication", True),
        "kbdint_auth": (
            "KbdInteractiveAuthentication",
            settings.enabled("ChallengeResponseAuthentication", True),
        ),
    }
    compressed = settings.enabled("Compression", False)
    arguments: dict[str, Any] = {
        "config": None,
        "username": settings.user,
        "host_key_alias": settings.name,
        "client_keys": None,
        "host_based_auth": False,
        "known_hosts": None if settings.checking is HostKeyChecking.OFF else ([], [], []),
        "x509_trusted_certs": None,
        "connect_timeout": None,  # the transport's own deadline covers more than asyncssh's
        "login_timeout": 0,
        "keepalive_interval": seconds(values, "ServerAliveInterval", settings.endpoint.keepalive),
        "keepalive_count_max": max(1, integer(values, "ServerAliveCountMax", 3)),
        "tcp_keepalive": settings.enabled("TCPKeepAlive", True),
        "encryption_algs": _QUICK_CIPHERS,
        "compression_algs": ["zlib@openssh.com", "none"] if compressed else ["none", "zlib@openssh.com"],
        **{name: settings.enabled(word, default) for name, (word, default) in methods.items()},
        **{name: text for word, name in _PASSED_ON.items() if (text := first(values, word))},
    }
    if not settings.enabled("GSSAPIAuthentication", False):
        arguments["gss_host"] = None
    if preferred := first(values, "PreferredAuthentications"):
        arguments["preferred_auth"] = preferred
    if algorithms := first(values, "HostKeyAlgorithms") or host_key_algorithms:
        arguments["server_host_key_algs"] = algorithms
    if limit := values.get("RekeyLimit"):
        arguments |= dict(zip(("rekey_bytes", "rekey_seconds"), _rekey(limit[0].arguments), strict=False))
    if settings.values.get("ForwardAgent"):
        arguments["agent_forwarding"], arguments["agent_path"] = _forwarding(settings)
    return arguments


def _rekey(arguments: Sequence[str]) -> Iterator[str | tuple[()]]:
    for argument in arguments:
        yield () if argument.lower() in {"default", "none"} else argument.lower()


def _forwarding(settings: Settings) -> tuple[bool | str, str | None]:
    text = first(settings.values, "ForwardAgent") or "no"
    if text.lower() in {"yes", "true", "no", "false"}:
        return (settings.agent or False) if text.lower() in {"yes", "true"} else False, settings.agent
    return text, settings.agent


def environment_of(
    settings: Settings, environment: Mapping[str, str], matches: Callable[[str, Sequence[str]], bool]
) -> dict[str, str]:
    """The variables that ``SendEnv`` and ``SetEnv`` ask to send with each command."""
    patterns = [argument for value in settings.values.get("SendEnv", ()) for argument in value.arguments]
    sent = {name: text for name, text in environment.items() if patterns and matches(name, patterns)}
    for value in settings.values.get("SetEnv", ()):
        sent |= dict(argument.split("=", 1) for argument in value.arguments if "=" in argument)
    return sent
