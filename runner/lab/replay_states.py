"""The few messages that a replay makes itself: states, with an error record where there is one (MS-PSRP 2.2.3)."""

from __future__ import annotations

from xml.sax.saxutils import escape

#: PSInvocationState's numbers (MS-PSRP 2.2.3.5).
_STOPPED, _FAILED = 3, 5
#: ErrorCategory's numbers (MS-PSRP 2.2.3.9).
_NOT_IMPLEMENTED, _OPERATION_STOPPED = 11, 14


def members(clixml: str) -> str:
    """An object with these extended members: the form of most messages."""
    return f'<Obj RefId="0"><MS>{clixml}</MS></Obj>'


def pool_state(state: int) -> str:
    """A RUNSPACEPOOL_STATE."""
    return members(f'<I32 N="RunspaceState">{state}</I32>')


def failed_state(message: str, identifier: str) -> str:
    """A PIPELINE_STATE Failed with an error record."""
    return _error_state(_FAILED, message, "System.NotSupportedException", identifier, _NOT_IMPLEMENTED)


def _error_state(state: int, message: str, exception: str, identifier: str, category: int) -> str:
    """A PIPELINE_STATE with an error record (MS-PSRP 2.2.3.15; the numbers of categories are ErrorCategory's)."""
    text, reason = escape(message), exception.rpartition(".")[2]
    return members(
        f'<I32 N="PipelineState">{state}</I32><Obj N="ExceptionAsErrorRecord" RefId="1"><TN RefId="0">'
        "<T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>"
        f'<ToString>{text}</ToString><MS><Obj N="Exception" RefId="2"><TN RefId="1"><T>{exception}</T>'
        f"<T>System.Exception</T><T>System.Object</T></TN><ToString>{exception}: {text}</ToString>"
        f'<Props><S N="Message">{text}</S></Props></Obj><Nil N="TargetObject" />'
        f'<S N="FullyQualifiedErrorId">{identifier}</S><Nil N="InvocationInfo" />'
        f'<I32 N="ErrorCategory_Category">{category}</I32><S N="ErrorCategory_Activity"></S>'
        f'<S N="ErrorCategory_Reason">{reason}</S><S N="ErrorCategory_TargetName"></S>'
        f'<S N="ErrorCategory_TargetType"></S><S N="ErrorCategory_Message">{reason}</S>'
        '<B N="SerializeExtendedInfo">false</B></MS></Obj>'
    )


#: A PIPELINE_STATE Stopped.
STOPPED_STATE = _error_state(
    _STOPPED,
    "The pipeline has been stopped.",
    "System.Management.Automation.PipelineStoppedException",
    "PipelineStopped",
    _OPERATION_STOPPED,
)
