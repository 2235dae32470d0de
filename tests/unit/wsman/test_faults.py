"""Refusals: read from whatever a server sends, and turned into what a person can act on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.codes import code_pages
from runner.errors import ConnectionLost, Unreachable
from runner.wsman import faults
from runner.wsman.envelope import UnreadableEnvelope
from runner.wsman.fault_errors import Asked, fault_error, pipeline_gone, unreadable
from runner.wsman.faults import Fault, WsmanFault, envelope_or_fault, signed
from runner.wsman.port import Answer
from tests.unit.wsman.recorded import FOLDER, conversation
from tests.unit.wsman.scripted_wire import CONFIGURATION, envelope, fault

ASKED = Asked("web01", "http://web01:5985/wsman", CONFIGURATION, "open a session", opening=True)


def read(answer: Answer) -> Fault:
    """The fault of an answer."""
    with pytest.raises(WsmanFault) as caught:
        envelope_or_fault(answer)
    return caught.value.fault


def error(code: int | None, text: str = "no", **more: object) -> Unreachable | ConnectionLost:
    """The error of a fault."""
    made = fault_error(Fault(status=500, code=code, text=text, **more), ASKED)  # type: ignore[arg-type]
    assert isinstance(made, Unreachable)
    return made


@pytest.mark.parametrize("written", ["2150858793", "-2144108503", "0x80338029", " 2150858793 "])
def test_a_code_is_the_same_however_it_is_written(written: str) -> None:
    """Windows writes it unsigned, PowerShell signed, people in hexadecimal."""
    answer = fault(
        None,
        detail=f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{written}"/>',
    )

    assert read(answer).code == faults.OPERATION_TIMED_OUT
    assert signed(faults.OPERATION_TIMED_OUT) == -2144108503


def test_a_subcode_stands_in_for_a_code() -> None:
    """Servers without Windows' codes say TimedOut in words."""
    assert read(fault(None, subcode="TimedOut")).code == faults.OPERATION_TIMED_OUT


@pytest.mark.windows_recordings
@pytest.mark.parametrize(
    ("name", "code", "subcode", "says"),
    [
        ("soap_fault_v1.xml", 2150858778, "CannotProcessFilter", "class does not exist"),
        ("soap_fault_v2.xml", 2150858778, "CannotProcessFilter", "class does not exist"),
        ("soap_fault_omi.xml", None, "InternalError", "instance name parameter is missing"),
        ("wmi_error_v2.xml", 0x803381A5, "QuotaLimit", "maximum number of 30 concurrent shells"),
    ],
)
def test_real_faults_are_read(name: str, code: int | None, subcode: str, says: str) -> None:
    """Windows' two forms, WMI's and OMI's: code, subcode, and the sentence that says most."""
    found = read(Answer(500, (FOLDER / name).read_bytes()))

    assert (found.code, found.subcode) == (code, subcode)
    assert says in f"{found.text} {found.provider}"


@pytest.mark.windows_recordings
def test_a_recorded_fault_of_a_command_that_is_gone_is_read() -> None:
    """What Windows says to a Receive for a command it does not know."""
    (response,) = [
        m["response"]
        for m in conversation("test_psrp_receive_failure.yml")
        if "wsmanfault" in (m.get("response") or "")
    ]

    assert read(Answer(500, response.encode())).code in faults.GONE


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (Answer(500, b""), "wsman-http-error", "HTTP 500"),
        (Answer(200, b""), "wsman-http-error", "HTTP 200"),
        (
            Answer(503, b"<html><title>Service Unavailable</title><p>x</html>"),
            "wsman-http-error",
            "Service Unavailable",
        ),
        (Answer(502, b"<html><body><h1>Bad\nGateway</h1></body>"), "wsman-http-error", "Bad Gateway"),
        (Answer(404, b"not here"), "wsman-not-there", "not here"),
        (Answer(413, b""), "envelope-too-large", "413"),
        (Answer(500, envelope("")), "wsman-fault", "HTTP 500"),
        (fault(None, ""), "wsman-fault", "InternalError"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_refusal_without_a_code_says_what_there_is_to_say(answer: Answer, code: str, says: str) -> None:
    """No SOAP, a proxy's page, an empty body, a fault without a code: each ends in a sentence with the host in it."""
    found = fault_error(read(answer), ASKED)

    assert found.code == code
    assert says in found.message
    assert "web01" in found.message


def test_an_answer_that_says_all_is_well_and_is_none_is_unreadable() -> None:
    """A page with 200 is what a captive portal sends."""
    with pytest.raises(UnreadableEnvelope):
        envelope_or_fault(Answer(200, b"<html>welcome</html>"))

    assert unreadable("it is no XML", ASKED).code == "wsman-unreadable"


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (5, "configuration-denied", "Remote Management Users"),
        (1326, "login-refused", "password"),
        (-2144108485, "configuration-unknown", "Get-PSSessionConfiguration"),
        (0x80338000, "configuration-unknown", "Enable-PSRemoting"),
        (-2144108061, "remote-access-disabled", "Enable-PSRemoting"),
        (1115, "host-shutting-down", ""),
        (995, "shell-gone", "idle_timeout"),
        (0x8033805B, "shell-gone", "idle_timeout"),
        (0x803381C4, "session-disconnected", ""),
        (0x80338029, "wsman-timeout", "operation_timeout"),
        (0x80338026, "envelope-too-large", "MaxEnvelopeSizekb"),
        (-2144108094, "session-name-refused", ""),
        (0x803381F2, "idle-timeout-refused", "IdleTimeout"),
        (0x803381A5, "quota-shells", "winrm set winrm/config/winrs '@{MaxShellsPerUser=\""),
        (0x803381AB, "quota-users", "winrm set winrm/config/winrs '@{MaxConcurrentUsers=\""),
        (
            0x803381A6,
            "quota-operations",
            "winrm set winrm/config/service '@{MaxConcurrentOperationsPerUser=\"",
        ),
        (0x803381E4, "quota-shells", r"Plugin\Microsoft.PowerShell\Quotas\MaxShellsPerUser"),
        (0x803381E5, "quota-users", r"Plugin\Microsoft.PowerShell\Quotas\MaxConcurrentUsers"),
        (0x803381E8, "quota-operations", r"Quotas\MaxConcurrentOperationsPerUser"),
        (14, "quota-memory", "winrm set winrm/config/winrs '@{MaxMemoryPerShellMB=\""),
        (123456, "wsman-fault", "Get-WinEvent"),
    ],
)
def test_a_code_has_one_meaning_and_its_remedy(number: int, code: str, hint: str) -> None:
    """Each code of the table becomes one of ours, with what to type where something can be typed."""
    found = error(number & 0xFFFFFFFF)

    assert found.code == code
    assert hint in "\n".join(found.hints)
    assert found.message.endswith("; nothing was run")
    assert code in code_pages()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exceeded MaxProcessesPerShell", "quota-processes"),
        ("The maximum number of concurrent shells for this user has been exceeded", "quota-shells"),
        ("something else", "wsman-fault"),
    ],
)
def test_a_quota_without_a_code_is_told_by_its_words(text: str, code: str) -> None:
    """Only where the subcode says that it is a quota at all."""
    assert error(None, text, subcode="QuotaLimit").code == code
    assert error(None, text).code == "wsman-fault"


def test_what_the_configuration_is_called_is_said() -> None:
    """Who may not use it, or misspelt it, must see which one was meant."""
    assert "`Microsoft.PowerShell`" in error(5).message
    assert "`Microsoft.PowerShell`" in error(0x8033803B).message


def test_while_a_session_is_open_a_refusal_loses_it() -> None:
    """Then the host was reachable, and whether the script may have run is said."""
    asked = Asked("web01", "http://web01:5985/wsman", CONFIGURATION, "run a command", may_have_run=True)

    assert isinstance(fault_error(Fault(status=500, code=5), asked), ConnectionLost)
    assert pipeline_gone(asked).may_have_run


@given(st.text(), st.text())
def test_no_text_of_a_peer_breaks_out_of_its_line(text: str, title: str) -> None:
    """What a peer sends is shown in one line without anything that moves a cursor, and is not endless."""
    page = f"<html><title>{title}</title>{text}</html>".encode("utf-8", "replace")
    found = read(Answer(500, page))

    assert found.text.isprintable()
    assert len(found.text) <= 400


def test_a_redirection_in_a_fault_has_its_place() -> None:
    """Servers name the element as they like."""
    answer = fault(
        faults.REDIRECT_REQUESTED, detail="<w:RedirectLocation> https://b/wsman </w:RedirectLocation>"
    )

    assert read(answer).location == "https://b/wsman"
