"""What the service tells of itself and of a shell: the answers to Get (MS-WSMV 2.2.4)."""

from __future__ import annotations

import time
from xml.sax.saxutils import escape

from runner.lab.wsman_settings import Quotas
from runner.lab.wsman_shell import ShellFacts


def config_xml(quotas: Quotas) -> str:
    """``winrm get winrm/config``, as far as a client asks for it."""
    operation_ms = round(quotas.operation_timeout * 1000)
    return (
        '<cfg:Config xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config">'
        f"<cfg:MaxEnvelopeSizekb>{quotas.max_envelope_size_kb}</cfg:MaxEnvelopeSizekb>"
        f"<cfg:MaxTimeoutms>{operation_ms}</cfg:MaxTimeoutms><cfg:MaxBatchItems>32000</cfg:MaxBatchItems>"
        "<cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests><cfg:Service>"
        "<cfg:MaxConcurrentOperationsPerUser>"
        f"{quotas.max_concurrent_operations_per_user}</cfg:MaxConcurrentOperationsPerUser>"
        "</cfg:Service><cfg:Winrs><cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess>"
        f"<cfg:IdleTimeout>{round(quotas.idle_timeout * 1000)}</cfg:IdleTimeout>"
        f"<cfg:MaxConcurrentUsers>{quotas.max_concurrent_users}</cfg:MaxConcurrentUsers>"
        f"<cfg:MaxShellsPerUser>{quotas.max_shells_per_user}</cfg:MaxShellsPerUser>"
        "</cfg:Winrs></cfg:Config>"
    )


def shell_xml(facts: ShellFacts, idle: float) -> str:
    """The state of a shell, ``idle`` for so many seconds."""
    name = f"<rsp:Name>{escape(facts.name)}</rsp:Name>" if facts.name else ""
    return (
        f"<rsp:Shell><rsp:ShellId>{facts.identity}</rsp:ShellId>{name}"
        f"<rsp:ResourceUri>{escape(facts.resource_uri)}</rsp:ResourceUri><rsp:Owner>{escape(facts.owner)}</rsp:Owner>"
        f"<rsp:ClientIP>{facts.client}</rsp:ClientIP><rsp:IdleTimeOut>PT{facts.idle_timeout:.3f}S</rsp:IdleTimeOut>"
        "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
        "<rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut><rsp:Locale>en-US</rsp:Locale>"
        "<rsp:DataLocale>en-US</rsp:DataLocale><rsp:CompressionMode>NoCompression</rsp:CompressionMode>"
        "<rsp:ProfileLoaded>Yes</rsp:ProfileLoaded><rsp:Encoding>UTF8</rsp:Encoding>"
        "<rsp:BufferMode>Block</rsp:BufferMode><rsp:State>Connected</rsp:State>"
        f"<rsp:ShellRunTime>{_age(time.monotonic() - facts.opened)}</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>{_age(idle)}</rsp:ShellInactivity></rsp:Shell>"
    )


def _age(seconds: float) -> str:
    """As Windows writes it: ``P0DT0H0M4S``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"P{days}DT{hours}H{minutes}M{rest}S"
