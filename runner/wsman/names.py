"""Names of the wire: namespaces, actions, streams, codes of signals (MS-WSMV 2.2.1, 2.2.4; remoting.md 5)."""

from __future__ import annotations

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WSMV = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
POWERSHELL = "http://schemas.microsoft.com/powershell"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

ANONYMOUS = f"{ADDRESSING}/role/anonymous"

CREATE = f"{TRANSFER}/Create"
DELETE = f"{TRANSFER}/Delete"
COMMAND = f"{SHELL}/Command"
SEND = f"{SHELL}/Send"
RECEIVE = f"{SHELL}/Receive"
SIGNAL = f"{SHELL}/Signal"

#: Stops a pipeline. The misspelling is the protocol's: any other code closes the command (remoting.md 5.2, 12).
STOP_PIPELINE = "powershell/signal/crtl_c"
#: Frees what the server keeps of a command.
TERMINATE = f"{SHELL}/signal/Terminate"

COMMAND_DONE = f"{SHELL}/CommandState/Done"

#: The stream of input and the one of answers to host calls ("prompt responses"), and the only one that comes back.
INPUT_STREAM = "stdin"
PROMPT_STREAM = "pr"
OUTPUT_STREAM = "stdout"
