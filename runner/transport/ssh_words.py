"""The words of ``ssh_config(5)``: which there are, which this transport follows, and why it does not follow the rest.

Imports nothing heavy: the validator asks here about ``options`` long before anything connects.
"""

from __future__ import annotations

from types import MappingProxyType

_FOLLOWED = """
    AddressFamily BindAddress CASignatureAlgorithms CertificateFile ChallengeResponseAuthentication Ciphers
    Compression ConnectTimeout ForwardAgent GlobalKnownHostsFile GSSAPIAuthentication GSSAPIDelegateCredentials
    GSSAPIKeyExchange HashKnownHosts HostKeyAlgorithms HostKeyAlias Hostname IdentitiesOnly IdentityAgent
    IdentityFile KbdInteractiveAuthentication KexAlgorithms MACs PasswordAuthentication PKCS11Provider Port
    PreferredAuthentications ProxyCommand ProxyJump PubkeyAcceptedAlgorithms PubkeyAuthentication RekeyLimit
    SendEnv ServerAliveCountMax ServerAliveInterval SetEnv StrictHostKeyChecking Tag TCPKeepAlive User
    UserKnownHostsFile
"""

_OWN_COMMAND = "the runner starts its own commands over the connection"
_FORWARDING = "the runner forwards nothing but the agent (`ForwardAgent`)"
_SHARING = "the runner keeps and shares its connections itself"
_TERMINAL = "a run has no terminal on the host"
_CANONICAL = "host names are used as they are written; give the full name in `address` or `Hostname`"
_NO_EFFECT = "it has no effect on a connection of the runner"
_HOST_BASED = "logging in by the controller's own host key is not offered"
_STRUCTURE = "it belongs into `~/.ssh/config`; in a playbook the target and the host say where options apply"

_REASONS = {
    _OWN_COMMAND: "RemoteCommand SessionType ForkAfterAuthentication StdinNull",
    _FORWARDING: """ClearAllForwardings DynamicForward ExitOnForwardFailure ForwardX11 ForwardX11Timeout
        ForwardX11Trusted GatewayPorts LocalForward PermitRemoteOpen RemoteForward StreamLocalBindMask
        StreamLocalBindUnlink Tunnel TunnelDevice XAuthLocation""",
    _SHARING: "ControlMaster ControlPath ControlPersist ChannelTimeout",
    _TERMINAL: "EnableEscapeCommandline EscapeChar LocalCommand PermitLocalCommand RequestTTY VisualHostKey",
    _CANONICAL: """CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots
        CanonicalizePermittedCNAMEs""",
    _NO_EFFECT: """AddKeysToAgent BatchMode CheckHostIP ConnectionAttempts FingerprintHash GSSAPIClientIdentity
        GSSAPIKexAlgorithms GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns IgnoreUnknown IPQoS
        KbdInteractiveDevices LogLevel LogVerbose NoHostAuthenticationForLocalhost NumberOfPasswordPrompts
        ObscureKeystrokeTiming ProxyUseFdpass RefuseConnection RequiredRSASize SecurityKeyProvider SyslogFacility
        UpdateHostKeys VersionAddendum WarnWeakCrypto""",
    _HOST_BASED: "EnableSSHKeysign HostbasedAcceptedAlgorithms HostbasedAuthentication",
    _STRUCTURE: "Host Include Match",
    "binding to an interface needs a socket option that is not offered; use `BindAddress`": "BindInterface",
    "list revoked keys as `@revoked` lines of known_hosts": "RevokedHostKeys",
    "put the keys into known_hosts": "KnownHostsCommand VerifyHostKeyDNS",
}

#: Older spellings that ssh still takes (readconf.c of OpenSSH), with the word they mean.
ALIASES = MappingProxyType(
    {
        "dsaauthentication": "PubkeyAuthentication",
        "hostbasedkeytypes": "HostbasedAcceptedAlgorithms",
        "keepalive": "TCPKeepAlive",
        "pubkeyacceptedkeytypes": "PubkeyAcceptedAlgorithms",
        "skeyauthentication": "KbdInteractiveAuthentication",
        "smartcarddevice": "PKCS11Provider",
    }
)

FOLLOWED: frozenset[str] = frozenset(_FOLLOWED.split())
#: Words that ``options`` may not hold, with the reason.
UNSUPPORTED: MappingProxyType[str, str] = MappingProxyType(
    {word: reason for reason, words in _REASONS.items() for word in words.split()}
)
#: Every word of ssh_config(5), OpenSSH 10, as the manual spells it.
SSH_OPTION_WORDS: frozenset[str] = FOLLOWED | frozenset(UNSUPPORTED)

#: In a configuration file these would make the connection less safe than the author means, so they are refused there.
UNSAFE_TO_IGNORE: frozenset[str] = frozenset({"RevokedHostKeys"})

_BY_LOWER = {word.lower(): word for word in SSH_OPTION_WORDS} | dict(ALIASES)


def canonical_word(word: str) -> str | None:
    """The word as the manual spells it, for any case and for older spellings; None for an unknown one.

    >>> canonical_word("identityfile"), canonical_word("KeepAlive"), canonical_word("Identity")
    ('IdentityFile', 'TCPKeepAlive', None)
    """
    return _BY_LOWER.get(word.lower())
