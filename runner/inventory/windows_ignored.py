"""Ansible's variables for WinRM that change whom one trusts or how one gets there, and that have no meaning here."""

from __future__ import annotations

from collections.abc import Mapping

_AUTHORITY = "name the file of your own authority in SSL_CERT_FILE: it is trusted for all hosts of the run"
_PROXY = "say `session_option: {proxy_access_type: WinHttpConfig}`, and the proxy in HTTPS_PROXY"
_DELEGATION = "use `authentication: credssp` for the second hop, or delegation that the domain sets up"

WINDOWS_IGNORED: Mapping[str, str] = {
    "ansible_winrm_ca_trust_path": _AUTHORITY,
    "ansible_psrp_ca_cert": _AUTHORITY,
    "ansible_psrp_proxy": _PROXY,
    "ansible_winrm_kerberos_delegation": _DELEGATION,
    "ansible_psrp_negotiate_delegate": _DELEGATION,
}
"""Name to what stands in its place here. Whoever sets one of them relies on it, so that it is told."""
