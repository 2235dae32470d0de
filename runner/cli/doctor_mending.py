"""From the code of an error to what was looked at, and to the commands that mend it.

Nothing here deletes: the recipe of Invoke-Command's reference for a listener removes every listener first, and this
one adds the one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.cli.doctor_finding import Mend
from runner.errors import HostError
from runner.plan.winrm import is_ip_address
from runner.transport.endpoint import Endpoint
from runner.transport.winrm_uris import HTTPS_PORT, uses_tls

_CHECKS: dict[str, tuple[str, ...]] = {
    "listener": (
        *(
            "name-not-resolved",
            "connection-refused",
            "network-unreachable",
            "connect-timeout",
            "winrm-dropped",
        ),
        *("wsman-not-there", "wsman-http-error", "wsman-unreadable", "too-many-open-files"),
    ),
    "proxy": ("proxy-unsupported", "proxy-refused", "proxy-login-refused"),
    "certificate": (
        *("tls-handshake-failed", "tls-untrusted", "tls-self-signed", "tls-wrong-name", "tls-expired"),
        *(
            "tls-not-yet-valid",
            "tls-revoked",
            "tls-revocation-unknown",
            "crl-unusable",
            "authorities-unusable",
        ),
    ),
    "authentication": (
        *("login-not-offered", "basic-unencrypted", "ntlm-untrusted-host", "certificate-needs-https"),
    ),
    "kerberos": (
        *("kerberos-missing", "kerberos-no-ticket", "kerberos-ticket-expired", "kerberos-clock-skew"),
        *("kerberos-principal-unknown", "kerberos-service-unknown", "kerberos-kdc-unreachable"),
    ),
    "session configuration": ("configuration-denied", "configuration-unknown", "remote-access-disabled"),
    "redirection": ("redirect-refused", "redirect-loop"),
    "subsystem": ("subsystem-missing", "engine-missing", "engine-not-speaking", "engine-ended"),
}
_CHECK_OF = {code: check for check, codes in _CHECKS.items() for code in codes}


def check_of(error: HostError, endpoint: Endpoint) -> str:
    """What of a PowerShell host an error is about; what has no name of its own is the login, or the session."""
    check = _CHECK_OF.get(error.code, "login" if error.phase == "connect" else "session")
    return "login" if check == "listener" and endpoint.transport != "winrm" else check


def mend(code: str, endpoint: Endpoint) -> Mend | None:
    """What mends an error of a PowerShell endpoint; None where its own hint says all."""
    recipes = _OVER_WINRM if endpoint.transport == "winrm" else _OVER_SSH
    recipe = recipes.get(code)
    return recipe(endpoint) if recipe is not None else None


Recipe = Callable[[Endpoint], Mend]


def _on_host(*lines: str) -> Recipe:
    return lambda _: Mend("host", lines)


def _here(*lines: str) -> Recipe:
    return lambda endpoint: Mend("controller", tuple(line.format(**_words(endpoint)) for line in lines))


def _written(*lines: str) -> Recipe:
    return lambda _: Mend("inventory", lines)


def _words(endpoint: Endpoint) -> dict[str, object]:
    host = endpoint.address or endpoint.host
    return {"host": endpoint.host, "address": host, "port": endpoint.port}


def _listener(endpoint: Endpoint) -> Mend:
    """A listener beside those that are there."""
    if endpoint.winrm is None or not uses_tls(endpoint.winrm.url):
        return Mend("host", ("winrm quickconfig -quiet", "winrm enumerate winrm/config/listener"))
    port = "" if endpoint.port == HTTPS_PORT else f" -Port {endpoint.port}"
    add = "New-Item -Path WSMan:\\localhost\\Listener -Transport HTTPS -Address * -CertificateThumbPrint"
    return Mend(
        "host",
        (
            _new_certificate(endpoint),
            f"{add} $certificate.Thumbprint{port} -Force",
            _open_firewall(endpoint),
        ),
    )


def _certificate(endpoint: Endpoint) -> Mend:
    """A new certificate for the listener that is there."""
    use = "Set-WSManInstance winrm/config/Listener -SelectorSet @{Address='*'; Transport='HTTPS'} -ValueSet"
    return Mend(
        "host", (_new_certificate(endpoint), f"{use} @{{CertificateThumbprint=$certificate.Thumbprint}}")
    )


def _new_certificate(endpoint: Endpoint) -> str:
    # A certificate made so is for names alone, so a host that is reached by its address gets one for its name.
    name = endpoint.host if is_ip_address(endpoint.address) else endpoint.address or endpoint.host
    make = f"New-SelfSignedCertificate -DnsName '{name}' -CertStoreLocation Cert:\\LocalMachine\\My"
    return f"$certificate = {make}"


def _firewall(endpoint: Endpoint) -> Mend:
    https = endpoint.winrm is not None and uses_tls(endpoint.winrm.url)
    rule = _open_firewall(endpoint) if https else "Enable-NetFirewallRule -Name 'WINRM-HTTP-In-TCP*'"
    return Mend("host", ("Get-Service WinRM", rule))


def _open_firewall(endpoint: Endpoint) -> str:
    rule = "New-NetFirewallRule -DisplayName 'WinRM over HTTPS' -Direction Inbound -Protocol TCP"
    return f"{rule} -LocalPort {endpoint.port} -Action Allow"


def _authentication(endpoint: Endpoint) -> Mend:
    kind = str(endpoint.winrm.authentication) if endpoint.winrm is not None else ""
    if kind == "credssp":
        return Mend("host", ("Enable-WSManCredSSP -Role Server -Force",))
    if kind == "basic":
        return Mend("host", ("Set-Item WSMan:\\localhost\\Service\\Auth\\Basic $true",))
    return Mend(
        "host",
        (
            "Get-ChildItem WSMan:\\localhost\\Service\\Auth",
            "Set-Item WSMan:\\localhost\\Service\\Auth\\Negotiate $true",
            "Set-Item WSMan:\\localhost\\Service\\Auth\\Kerberos $true",
        ),
    )


_TRUST = _here(
    "openssl s_client -connect {address}:{port} -showcerts </dev/null | openssl x509 -outform PEM > {host}.pem",
    "openssl x509 -in {host}.pem -noout -fingerprint -sha256   # compare it with the host's own",
    "export SSL_CERT_FILE=$PWD/{host}.pem",
)
_RELOAD = "sudo sshd -t && sudo systemctl reload ssh   # sshd on Red Hat and SUSE"
CLOCKS = Mend("host", ("w32tm /resync /force", "w32tm /query /status"))
CONTROLLER_CLOCK = Mend("controller", ("timedatectl set-ntp true", "timedatectl timesync-status"))
TICKET = Mend("controller", ("kinit name@REALM", "klist"))
KERBEROS_PACKAGE = Mend(
    "controller",
    ("apt install gcc python3-dev libkrb5-dev krb5-user", "pip install 'runner[kerberos]'"),
)


def subsystem_line(endpoint: Endpoint, program: str = "/usr/bin/pwsh") -> str:
    """The line that sshd_config needs."""
    return f"Subsystem {endpoint.subsystem or 'powershell'} {program} -sshs -NoLogo -NoProfile"


def add_subsystem(endpoint: Endpoint, program: str = "/usr/bin/pwsh") -> Mend:
    """Add the line in a file of its own: at the end of sshd_config it might fall into a Match block."""
    return Mend(
        "host",
        (
            f"echo '{subsystem_line(endpoint, program)}' | sudo tee /etc/ssh/sshd_config.d/powershell.conf",
            _RELOAD,
        ),
    )


def _look_at_subsystem(endpoint: Endpoint) -> Mend:
    look = f"grep -ri subsystem /etc/ssh/sshd_config*   # it should be: {subsystem_line(endpoint)}"
    return Mend("host", (look, "command -v pwsh", _RELOAD))


_OVER_WINRM: dict[str, Recipe] = {
    "name-not-resolved": _here("getent hosts {address}"),
    "connection-refused": _listener,
    "connect-timeout": _firewall,
    "network-unreachable": _here("ip route get {address}"),
    "winrm-dropped": _on_host("winrm enumerate winrm/config/listener"),
    "wsman-not-there": _on_host("winrm enumerate winrm/config/listener"),
    "tls-handshake-failed": _on_host("winrm enumerate winrm/config/listener"),
    "tls-expired": _certificate,
    "tls-wrong-name": _certificate,
    "tls-revoked": _certificate,
    "tls-not-yet-valid": lambda _: CLOCKS,
    "tls-untrusted": _TRUST,
    "tls-self-signed": _TRUST,
    "login-not-offered": _authentication,
    "basic-unencrypted": _written("connection: {use_ssl: true}"),
    "certificate-needs-https": _written("connection: {use_ssl: true}"),
    "ntlm-untrusted-host": _written("connection: {use_ssl: true}"),
    "proxy-refused": _here("export NO_PROXY={address}"),
    "kerberos-missing": lambda _: KERBEROS_PACKAGE,
    "kerberos-no-ticket": lambda _: TICKET,
    "kerberos-ticket-expired": lambda _: TICKET,
    "kerberos-clock-skew": lambda _: CONTROLLER_CLOCK,
    "kerberos-service-unknown": _on_host("setspn -L $env:COMPUTERNAME"),
    "kerberos-kdc-unreachable": _here("cat /etc/krb5.conf", "dig +short SRV _kerberos._tcp.REALM"),
    "configuration-unknown": _on_host(
        "Get-PSSessionConfiguration | Format-Table Name, PSVersion, Permission",
        "pwsh -Command Enable-PSRemoting -Force   # makes PowerShell.7",
    ),
    "configuration-denied": _on_host(
        "Add-LocalGroupMember -Group 'Remote Management Users' -Member USER",
        "Set-PSSessionConfiguration -Name NAME -ShowSecurityDescriptorUI",
    ),
    "remote-access-disabled": _on_host("Enable-PSRemoting -Force"),
}

_OVER_SSH: dict[str, Recipe] = {
    "subsystem-missing": add_subsystem,
    "engine-missing": _look_at_subsystem,
    "engine-not-speaking": _look_at_subsystem,
    "engine-ended": _on_host("pwsh -sshs -NoLogo -NoProfile   # should wait for input and say nothing"),
}
