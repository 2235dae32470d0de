"""Codes of the area ``wire``: HTTP, TLS and logins of WinRM."""

from __future__ import annotations

from runner.codes.page import CodePage

_NOTHING_RAN = "Nothing was run on the host; its status is `unreachable`, and the other hosts go on."
_MAY_HAVE_RUN = "What was sent may have run; the message says so, and it is not sent again."

_HTTP: dict[str, CodePage] = {
    "winrm-dropped": CodePage(
        "The peer hung up before the login was over, or speaks no HTTP",
        "Mostly http is spoken to the port of https or the other way round, or the port belongs to another service. "
        f"{_NOTHING_RAN}",
        "connection: {transport: winrm, use_ssl: true, port: 5985}",
        "connection: {transport: winrm, use_ssl: true, port: 5986}",
    ),
    "answer-timeout": CodePage(
        "A WinRM host did not answer a request in time",
        "The connection stands, but no answer came: the WinRM service hangs or the host has no memory left. "
        f"{_MAY_HAVE_RUN}",
    ),
    "answer-not-sealed": CodePage(
        "A WinRM host answered in clear what was asked under seal",
        "Over http every body is encrypted with the login's key. Who answers in clear has not got the key: something "
        f"between the controller and the host. {_MAY_HAVE_RUN}",
    ),
    "answer-seal-broken": CodePage(
        "The signature of a WinRM answer is wrong",
        f"The answer was changed or cut on its way. {_MAY_HAVE_RUN}",
    ),
}

_PROXY: dict[str, CodePage] = {
    "proxy-unsupported": CodePage(
        "The proxy is reached in a way the runner cannot do",
        "Proxies are HTTP proxies that are asked to CONNECT, reached by `http://`; SOCKS proxies and those reached by "
        f"https are not supported. {_NOTHING_RAN}",
        "HTTPS_PROXY=socks5://proxy:1080 runner run patch.yml",
        "HTTPS_PROXY=http://proxy:3128 runner run patch.yml",
    ),
    "proxy-refused": CodePage(
        "The proxy does not connect to the host",
        "It is asked to CONNECT, over http too, for a login belongs to one connection from end to end. Many proxies "
        f"allow that to port 443 only. {_NOTHING_RAN}",
        "session_option: {proxy_access_type: winhttpconfig}",
        "session_option: {proxy_access_type: noproxyserver}",
    ),
    "proxy-login-refused": CodePage(
        "The proxy wants a login that it was not given",
        "`proxy_authentication: basic` and `negotiate` work where the proxy asks for them; `digest` is not supported. "
        f"{_NOTHING_RAN}",
        "session_option: {proxy_access_type: winhttpconfig, proxy_authentication: digest, proxy_credential: proxy}",
        "session_option: {proxy_access_type: winhttpconfig, proxy_authentication: basic, proxy_credential: proxy}",
    ),
}

_TLS: dict[str, CodePage] = {
    "tls-handshake-failed": CodePage(
        "TLS with the host failed before its certificate was looked at",
        "The port does not speak TLS, the host has no version from 1.2 on in common with the runner, or it refused the "
        f"certificate that was presented. {_NOTHING_RAN}",
    ),
    "tls-untrusted": CodePage(
        "The host's certificate comes from no trusted authority",
        "Trusted are the system's authorities, or those of the PEM file that the environment's `SSL_CERT_FILE` names. "
        f"`skip_ca_check` leaves the check out: then anybody can answer in the host's name. {_NOTHING_RAN}",
        "session_option: {skip_ca_check: true}",
        "SSL_CERT_FILE=company-ca.pem runner run patch.yml",
    ),
    "tls-self-signed": CodePage(
        "The host's certificate is signed by itself",
        "`winrm quickconfig` and New-SelfSignedCertificate make such. The message has its fingerprint: where it is the "
        f"host's, put the certificate into the file of `SSL_CERT_FILE`. {_NOTHING_RAN}",
        "session_option: {skip_ca_check: true}",
        "SSL_CERT_FILE=web01.pem runner run patch.yml",
    ),
    "tls-wrong-name": CodePage(
        "The host's certificate is for another name",
        "It is compared with the name that is connected to. `skip_cn_check` leaves the check out: then every host with "
        f"a certificate of the same authority can answer in this one's name. {_NOTHING_RAN}",
        "hosts:\n  web01: {address: 10.0.0.21, connection: {transport: winrm, use_ssl: true}}",
        "hosts:\n  web01: {address: web01.example.com, connection: {transport: winrm, use_ssl: true}}",
    ),
    "tls-expired": CodePage(
        "The host's certificate has expired",
        f"Dates are checked whatever else is left out, as on Windows. {_NOTHING_RAN}",
    ),
    "tls-not-yet-valid": CodePage(
        "The host's certificate is not valid yet",
        f"Mostly one of the two clocks is wrong. {_NOTHING_RAN}",
    ),
    "tls-revoked": CodePage(
        "The host's certificate was revoked",
        "It stands in the revocation list that the environment's `RUNNER_WINRM_CRL` names: its key may be in the wrong "
        f"hands. {_NOTHING_RAN}",
    ),
    "tls-revocation-unknown": CodePage(
        "Nothing current says whether the host's certificate was revoked",
        "`RUNNER_WINRM_CRL` names revocation lists, and none of them is of the certificate's issuer, or it is out of "
        "date. Without that variable nothing is known of revocations and nothing is checked: lists are never "
        f"downloaded. {_NOTHING_RAN}",
        "RUNNER_WINRM_CRL=old.pem runner run patch.yml",
        "RUNNER_WINRM_CRL=lists/ runner run patch.yml",
    ),
    "crl-unusable": CodePage(
        "A revocation list cannot be read",
        "`RUNNER_WINRM_CRL` names a PEM file, or a directory whose `*.pem` and `*.crl` are PEM. "
        f"{_NOTHING_RAN}",
        "RUNNER_WINRM_CRL=company.der runner run patch.yml",
        "RUNNER_WINRM_CRL=company.pem runner run patch.yml",
    ),
    "authorities-unusable": CodePage(
        "The file of trusted authorities cannot be read",
        f"The environment's `SSL_CERT_FILE` or `SSL_CERT_DIR` names it. {_NOTHING_RAN}",
        "SSL_CERT_FILE=company.der runner run patch.yml",
        "SSL_CERT_FILE=company.pem runner run patch.yml",
    ),
    "client-certificate-unusable": CodePage(
        "The certificate to log in with cannot be used",
        "It cannot be read, is not valid now, its key is another certificate's, or the key is encrypted and its "
        f"passphrase missing or wrong. {_NOTHING_RAN}",
        "credentials:\n  ops: {certificate: {file: ops.pem}}",
        "credentials:\n  ops: {certificate: {file: ops.pem}, private_key: {file: ops.key}}",
    ),
}

_LOGGING_IN: dict[str, CodePage] = {
    "certificate-needs-https": CodePage(
        "A certificate cannot log in over http",
        f"It is the client's part of the TLS handshake. {_NOTHING_RAN}",
        "connection: {transport: winrm, certificate_thumbprint: 7f2c...}",
        "connection: {transport: winrm, use_ssl: true, certificate_thumbprint: 7f2c...}",
    ),
    "credential-missing": CodePage(
        "The way of logging in needs a user name and a password",
        f"Basic and CredSSP send them to the host; a Kerberos ticket is not enough. {_NOTHING_RAN}",
        "connection: {transport: winrm, authentication: credssp}",
        "connection: {transport: winrm, authentication: credssp, credential: ops}",
    ),
    "basic-unencrypted": CodePage(
        "Basic over http would show the password on the way",
        "Neither http nor Basic encrypts anything. Nothing was sent.",
        "connection: {transport: winrm, authentication: basic}",
        "connection: {transport: winrm, authentication: basic, use_ssl: true}",
    ),
    "ntlm-untrusted-host": CodePage(
        "NTLM over http does not prove who the host is",
        "Who answers in the host's name would get a proof of the password, to guess it from or to pass it on. Kerberos "
        "and https prove the name. `trusted_hosts` says for which hosts that is accepted, as TrustedHosts does on "
        f"Windows. {_NOTHING_RAN}",
        "connection: {transport: winrm, credential: ops}",
        "connection: {transport: winrm, credential: ops, use_ssl: true}",
    ),
    "login-not-offered": CodePage(
        "The host's WinRM does not let anybody in that way",
        "The message lists what it offers. `winrm get winrm/config/service/auth` shows it on the host. "
        f"{_NOTHING_RAN}",
        "connection: {transport: winrm, authentication: basic}",
        "connection: {transport: winrm, authentication: negotiate}",
    ),
    "login-failed": CodePage(
        "A login over WinRM broke off for a reason of its own",
        f"The message has the reason that the security library gave. The same values are not tried again. {_NOTHING_RAN}",
    ),
    "login-incomplete": CodePage(
        "The host ended the login without proving who it is",
        "Negotiate, Kerberos and CredSSP prove both sides to each other; an answer that skips the host's half is not "
        f"believed. {_NOTHING_RAN}",
    ),
    "kerberos-missing": CodePage(
        "Kerberos is asked for and not installed",
        "It needs the Python packages gssapi and krb5, which are compiled against MIT Kerberos. Without a credential "
        f"every login is by Kerberos. {_NOTHING_RAN}",
        "pip install runner",
        "pip install 'runner[kerberos]'",
    ),
    "kerberos-no-ticket": CodePage(
        "There is no Kerberos ticket to log in with",
        f"Without a credential the controller's own ticket is used; `klist` shows it. {_NOTHING_RAN}",
        "runner run patch.yml",
        "kinit ops@EXAMPLE.COM && runner run patch.yml",
    ),
    "kerberos-ticket-expired": CodePage(
        "The Kerberos ticket has expired",
        f"Tickets live for ten hours by default. {_NOTHING_RAN}",
        "runner run patch.yml",
        "kinit ops@EXAMPLE.COM && runner run patch.yml",
    ),
    "kerberos-clock-skew": CodePage(
        "Clocks are too far apart for Kerberos",
        f"Five minutes are allowed between controller, host and domain controller. {_NOTHING_RAN}",
    ),
    "kerberos-principal-unknown": CodePage(
        "The Kerberos realm does not know the user",
        f"Realms are written in capitals. {_NOTHING_RAN}",
        "credentials:\n  ops: {username: ops@example.com}",
        "credentials:\n  ops: {username: ops@EXAMPLE.COM}",
    ),
    "kerberos-service-unknown": CodePage(
        "The Kerberos realm does not know the host's WinRM service",
        "The service is `HTTP/` with the name that is connected to: an address or a short name is mostly not "
        f"registered. {_NOTHING_RAN}",
        "hosts:\n  web01: {address: 10.0.0.21}",
        "hosts:\n  web01: {address: web01.example.com}",
    ),
    "kerberos-kdc-unreachable": CodePage(
        "The Kerberos realm's KDC cannot be found or does not answer",
        "It is found by `/etc/krb5.conf` or by DNS, and asked at port 88. A realm in small letters is another realm. "
        f"{_NOTHING_RAN}",
        "credentials:\n  ops: {username: ops@example.com}",
        "credentials:\n  ops: {username: ops@EXAMPLE.COM}",
    ),
}

CODES: dict[str, CodePage] = {**_HTTP, **_PROXY, **_TLS, **_LOGGING_IN}
