"""The faults of WinRM that the front end knows: numbers of wsmerror.h, texts of Windows (remoting.md 5.2)."""

from __future__ import annotations

from runner.lab.wsman_soap import Fault

TIMED_OUT = Fault(
    0x80338029,
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
    "w:TimedOut",
)
ABORTED = Fault(
    995,
    "The I/O operation has been aborted because of either a thread exit or an application request.",
    "w:InternalError",
)
NO_SHELL = Fault(
    0x8033805B,
    "The WS-Management service cannot process the request because the request contained invalid selectors for the "
    "resource.",
    "w:InvalidSelectors",
    sender=True,
)
NO_COMMAND = Fault(
    0x8033805B,
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
    "Either the command has completed execution or the client specified an invalid command identifier.",
    "w:InvalidSelectors",
    sender=True,
)
ACCESS_DENIED = Fault(5, "Access is denied.", "w:AccessDenied", sender=True)
INVALID_PARAMETER = Fault(87, "The parameter is incorrect.", "w:InvalidParameter", sender=True)
ENVELOPE_TOO_LARGE = Fault(
    0x80338048,
    "The WS-Management service cannot process the request. The size of the response exceeded the envelope size that "
    "the request allows.",
    "w:EncodingLimit",
    sender=True,
)
REQUEST_TOO_LARGE = Fault(
    0x80338047,
    "The WS-Management service cannot process the request. The size of the request exceeded the envelope size that "
    "the service allows.",
    "w:EncodingLimit",
    sender=True,
)


def not_supported(action: str) -> Fault:
    """An action that nobody here knows."""
    return Fault(
        0x80338001,
        f"The WS-Management service cannot process the request. The WS-Addressing action URI is invalid: {action}",
        "a:ActionNotSupported",
        sender=True,
    )


def no_configuration(resource_uri: str) -> Fault:
    """A session configuration that is not there: ``InvalidResourceUri`` to PowerShell."""
    return Fault(
        0x8033803B,
        f"The WS-Management service cannot process the request. Cannot find the {resource_uri} session configuration "
        "in the WSMan: drive on the computer.",
        "w:InvalidResourceURI",
        sender=True,
    )


def too_many_shells(limit: int) -> Fault:
    """MaxShellsPerUser is reached."""
    return Fault(
        0x803381A5,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
        "w:QuotaLimit",
    )


def too_many_users(limit: int) -> Fault:
    """MaxConcurrentUsers is reached."""
    return Fault(
        0x803381AB,
        f"The WS-Management service cannot process the request. The maximum number of users ({limit}) executing shell "
        "operations has been exceeded. Retry after sometime or raise the quota for concurrent shell users.",
        "w:QuotaLimit",
    )


def too_many_operations(limit: int) -> Fault:
    """MaxConcurrentOperationsPerUser is reached."""
    return Fault(
        0x803381A6,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise "
        "the quota for this user.",
        "w:QuotaLimit",
    )
