"""Session configurations: what an endpoint lets its clients run, as `Register-PSSessionConfiguration` makes them.

A constrained one (JEA, Exchange) runs in no-language mode: commands by name and no script. The engine behind it knows
nothing of that (remoting.md 8.3, 7), so a gate before it reads each CREATE_PIPELINE and answers what is refused.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID
from xml.sax.saxutils import escape

from runner.lab.psrp_messages import CREATE_PIPELINE, PIPELINE_STATE, Joiner, Message, fragments

_PREFIX = "http://schemas.microsoft.com/powershell/"
#: Ids of objects that are made here: far above those of an engine, which counts from 1 (remoting.md 8.2).
_OWN_OBJECTS = 1 << 40


@dataclass(frozen=True, slots=True)
class Configuration:
    """A session configuration; ``commands`` are those it lets run where it refuses scripts, None is no limit."""

    name: str
    commands: frozenset[str] | None = None

    @property
    def resource_uri(self) -> str:
        """Its name on the wire; names are the same in any case."""
        return _PREFIX + self.name


CONFIGURATIONS = (
    Configuration("Microsoft.PowerShell"),
    Configuration("PowerShell.7"),
    Configuration("MySession.PowerShell"),
    Configuration(
        "Microsoft.Exchange",
        frozenset({"get-mailbox", "set-mailbox", "get-command", "get-help", "select-object", "out-default"}),
    ),
)
"""What a host of the lab offers, those of the reference's examples among them; the last one refuses scripts."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What becomes of a fragment: ``fragments`` go on to the engine, ``answer`` goes back to the client."""

    fragments: tuple[bytes, ...] = ()
    answer: tuple[bytes, ...] = ()


class Gate:
    """What goes to one pipeline; everything where the configuration has no limit."""

    def __init__(self, configuration: Configuration) -> None:
        self._allowed = configuration.commands
        self._held: list[bytes] = []
        self._joiner = Joiner()
        self._open = self._allowed is None
        self._refused = False

    def take(self, fragment: bytes, pipeline: UUID) -> Passed:
        """Hold fragments back until the CREATE_PIPELINE is whole, then let all pass or answer that it is refused."""
        if self._open:
            return Passed((fragment,))
        if self._refused:
            return Passed()
        self._held.append(fragment)
        for message in self._joiner.feed(fragment):
            if message.kind == CREATE_PIPELINE:
                return self._judge(message, pipeline)
        return Passed()

    def _judge(self, message: Message, pipeline: UUID) -> Passed:
        refusal = _refusal(message.body, self._allowed or frozenset())
        if refusal is None:
            self._open = True
            return Passed(tuple(self._held))
        self._refused = True
        state = Message(PIPELINE_STATE, message.pool, refusal)
        return Passed(answer=tuple(fragments(_OWN_OBJECTS, state, pipeline)))


def _refusal(clixml: str, allowed: frozenset[str]) -> str | None:
    """The CLIXML of a failed PIPELINE_STATE, where one of the commands is refused."""
    for text, is_script in _commands(ET.fromstring(clixml)):  # noqa: S314 - the lab's own client, no DTD in CLIXML
        if is_script:
            return _failed(
                "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
                "ScriptsNotAllowed",
                "System.Management.Automation.ParseException",
                "ParserError",
                17,
            )
        if text.lower() not in allowed:
            return _failed(
                f"The term '{text}' is not recognized as the name of a cmdlet, function, script file, or operable "
                "program. Check the spelling of the name, or if a path was included, verify that the path is correct "
                "and try again.",
                "CommandNotFoundException",
                "System.Management.Automation.CommandNotFoundException",
                "ObjectNotFound",
                13,
            )
    return None


def _commands(root: ET.Element) -> Iterator[tuple[str, bool]]:
    """Each command of each statement: its text and whether it is a script."""
    for command in root.iterfind(".//Obj/LST/Obj/MS"):
        text, is_script = command.find("S[@N='Cmd']"), command.find("B[@N='IsScript']")
        if text is not None and is_script is not None:
            yield text.text or "", is_script.text == "true"


def _failed(message: str, error_id: str, exception: str, category: str, number: int) -> str:
    text, kind = escape(message), exception.rpartition(".")[2]
    return (
        '<Obj RefId="0"><MS><I32 N="PipelineState">5</I32><Obj N="ExceptionAsErrorRecord" RefId="1"><TN RefId="0">'
        f"<T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN><ToString>{text}</ToString><MS>"
        f'<Obj N="Exception" RefId="2"><TN RefId="1"><T>{exception}</T>'
        "<T>System.Management.Automation.RuntimeException</T><T>System.SystemException</T><T>System.Exception</T>"
        f'<T>System.Object</T></TN><ToString>{text}</ToString><Props><S N="Message">{text}</S></Props></Obj>'
        f'<Nil N="TargetObject" /><S N="FullyQualifiedErrorId">{error_id}</S><Nil N="InvocationInfo" />'
        f'<I32 N="ErrorCategory_Category">{number}</I32><S N="ErrorCategory_Activity"></S>'
        f'<S N="ErrorCategory_Reason">{kind}</S><S N="ErrorCategory_TargetName"></S>'
        f'<S N="ErrorCategory_TargetType"></S><S N="ErrorCategory_Message">{category}: (:) [], {kind}</S>'
        '<B N="SerializeExtendedInfo">false</B></MS></Obj></MS></Obj>'
    )
