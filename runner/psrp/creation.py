"""CREATE_PIPELINE as text (MS-PSRP 2.2.2.10 and 2.2.3.11 to 13), for requests whose values are plain, and such values.

psrpcore builds some forty objects for each and needs more time for that than for all else of a step, though next to
nothing of them changes from one message to the next. Here the fixed parts are text. The result is byte for byte that of
psrpcore without the commands' ``ToString``, which repeats each script and which PowerShell's own client does not send.
What is not text, a number, a boolean, null, or a list or dictionary of them is left to psrpcore.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from runner.psrp.request import Argument, Command, PipelineRequest, Statement

#: Protocols from which on a command says where its streams go (MS-PSRP 2.2.3.12): warnings and their like, information.
_WITH_STREAMS, _WITH_INFORMATION = (2, 2), (2, 3)
_LARGEST_INT32, _LARGEST_INT64 = 2**31 - 1, 2**63 - 1

_LIST = "System.Collections.ArrayList"
_TABLE = "System.Collections.Hashtable"
_RESULT_TYPES = "System.Management.Automation.Runspaces.PipelineResultTypes"
_ENUM = "<T>System.Enum</T><T>System.ValueType</T><T>System.Object</T>"

# What .NET decodes: an escape of its own, control characters and what is more than one unit of UTF-16 (2.2.5.3.2).
_ODD = re.compile("_[xX]|[\0-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]")

_BEGINNING = (
    '<Obj RefId="0"><TN RefId="0"><T>System.Object</T></TN><MS><B N="NoInput">{no_input}</B>'
    '<Obj RefId="1" N="ApartmentState"><I32>2</I32><TN RefId="1"><T>System.Threading.ApartmentState</T>'
    f"{_ENUM}</TN><ToString>Unknown</ToString></Obj>"
    '<Obj RefId="2" N="RemoteStreamOptions"><I32>{options}</I32><TN RefId="2">'
    f"<T>System.Management.Automation.RemoteStreamOptions</T>{_ENUM}</TN><ToString>{{options_text}}</ToString></Obj>"
    '<B N="AddToHistory">true</B><Obj RefId="3" N="HostInfo"><MS><B N="_isHostNull">true</B>'
    '<B N="_isHostUINull">true</B><B N="_isHostRawUINull">true</B><B N="_useRunspaceHost">true</B></MS></Obj>'
    '<Obj RefId="4" N="PowerShell"><MS>'
)
_WHERE = ("ToErrorRecord", "ToWarningRecord", "ToDebugRecord", "ToVerboseRecord", "")
_OPTIONS = {
    False: ("0", "None"),
    True: (
        "15",
        ", ".join(f"AddInvocationInfo{where}" for where in _WHERE),
    ),
}
_MIDDLE = '<B N="IsNested">false</B><Nil N="History" /><B N="RedirectShellErrorOutputPipe">true</B>'
_END = '</MS></Obj><B N="IsNested">false</B></MS></Obj>'
#: The objects and types that are numbered in the beginning.
_FIRST_OBJECT, _FIRST_TYPE = 5, 3


def plain_creation(request: PipelineRequest, protocol: tuple[int, int]) -> bytes | None:
    """The body of the message to a peer that speaks ``protocol``; None where a value is not plain."""
    try:
        return _Writer(protocol).message(request).encode()
    except _NotPlain:
        return None


def plain_value(value: Any) -> bytes | None:
    """A value as the body of a message of its own (PIPELINE_INPUT); None where it is not plain."""
    try:
        return _Writer((0, 0), objects=0, types=0).value(value).encode()
    except _NotPlain:
        return None


class _NotPlain(Exception):
    """A value is not for us."""


class _Writer:
    """Writes one message; numbers objects and types in the order of their coming, from ``objects`` and ``types`` on."""

    def __init__(
        self, protocol: tuple[int, int], *, objects: int = _FIRST_OBJECT, types: int = _FIRST_TYPE
    ) -> None:
        self._protocol = protocol
        self._objects = count(objects)
        self._first_type = types
        self._types: dict[str, int] = {}
        self._merge: int | None = None

    def message(self, request: PipelineRequest) -> str:
        options, options_text = _OPTIONS[request.invocation_info]
        no_input = "true" if request.input is None else "false"
        beginning = _BEGINNING.format(no_input=no_input, options=options, options_text=options_text)
        statements = request.statements
        first = self._commands(statements[0])
        return f"{beginning}{first}{_MIDDLE}{self._all(statements) if len(statements) > 1 else ''}{_END}"

    def _all(self, statements: Sequence[Statement]) -> str:
        """Every statement, the first once more: what a peer that knows of several runs."""
        number, kind = next(self._objects), self._type(_LIST)
        inside = "".join(
            f'<Obj RefId="{next(self._objects)}"><MS>{self._commands(statement)}</MS></Obj>'
            for statement in statements
        )
        return f'<Obj RefId="{number}" N="ExtraCmds">{kind}<LST>{inside}</LST></Obj>'

    def _commands(self, statement: Statement) -> str:
        number, kind = next(self._objects), self._type(_LIST)
        inside = "".join(map(self._command, statement.commands))
        return f'<Obj RefId="{number}" N="Cmds">{kind}<LST>{inside}</LST></Obj>'

    def _command(self, command: Command) -> str:
        number = next(self._objects)
        arguments = self._arguments(command.arguments)
        scope = self.value(command.use_local_scope, ' N="UseLocalScope"')
        is_script = self.value(command.is_script, ' N="IsScript"')
        text = self.value(command.text, ' N="Cmd"')
        return f'<Obj RefId="{number}"><MS>{text}{arguments}{is_script}{scope}{self._merging()}</MS></Obj>'

    def _arguments(self, arguments: Sequence[Argument]) -> str:
        number, kind = next(self._objects), self._type(_LIST)
        inside = "".join(
            f'<Obj RefId="{next(self._objects)}"><MS>'
            f"{self.value(argument.name, _NAME)}{self.value(argument.value, _VALUE)}</MS></Obj>"
            for argument in arguments
        )
        return f'<Obj RefId="{number}" N="Args">{kind}{_around("LST", inside)}</Obj>'

    def _merging(self) -> str:
        """Where a command's streams go: each its own way, said in full once."""
        if self._merge is not None:
            return _merged_as(self._merge, self._protocol, first=False)
        self._merge = next(self._objects)
        kind = self._type(_RESULT_TYPES, _ENUM)
        said = (
            f'<Obj RefId="{self._merge}" N="MergeMyResult"><I32>0</I32>{kind}<ToString>None</ToString></Obj>'
        )
        return said + _merged_as(self._merge, self._protocol, first=True)

    def _type(self, name: str, bases: str = "<T>System.Object</T>") -> str:
        number = self._types.get(name)
        if number is not None:
            return f'<TNRef RefId="{number}" />'
        number = self._types[name] = self._first_type + len(self._types)
        return f'<TN RefId="{number}"><T>{name}</T>{bases}</TN>'

    def value(self, value: Any, name: str = "") -> str:
        """A value; ``name`` is its attribute. By the exact type: psrpcore's own are subclasses."""
        kind = type(value)
        if kind is str:
            return f"<S{name}>{_escaped(value)}</S>" if value else f"<S{name} />"
        if value is None:
            return f"<Nil{name} />"
        if kind is bool:
            return f"<B{name}>{'true' if value else 'false'}</B>"
        if kind is int and -_LARGEST_INT32 <= value <= _LARGEST_INT64:
            tag = "I32" if value <= _LARGEST_INT32 else "I64"
            return f"<{tag}{name}>{value}</{tag}>"
        if kind is list:
            head = f'<Obj RefId="{next(self._objects)}"{name}>{self._type(_LIST)}'
            return f"{head}{_around('LST', ''.join(map(self.value, value)))}</Obj>"
        if kind is dict:
            head = f'<Obj RefId="{next(self._objects)}"{name}>{self._type(_TABLE)}'
            entries = (
                f"<En>{self.value(key, _KEY)}{self.value(item, _ITEM)}</En>" for key, item in value.items()
            )
            return f"{head}{_around('DCT', ''.join(entries))}</Obj>"
        raise _NotPlain


_NAME, _VALUE, _KEY, _ITEM = ' N="N"', ' N="V"', ' N="Key"', ' N="Value"'


@cache
def _merged_as(number: int, protocol: tuple[int, int], *, first: bool) -> str:
    names = ["MergeToResult", "MergePreviousResults"]
    if not first:
        names.insert(0, "MergeMyResult")
    if protocol >= _WITH_STREAMS:
        names += ["MergeError", "MergeWarning", "MergeVerbose", "MergeDebug"]
    if protocol >= _WITH_INFORMATION:
        names.append("MergeInformation")
    return "".join(f'<Ref RefId="{number}" N="{name}" />' for name in names)


def _around(tag: str, inside: str) -> str:
    return f"<{tag}>{inside}</{tag}>" if inside else f"<{tag} />"


def _escaped(text: str) -> str:
    if _ODD.search(text) is not None:
        text = _ODD.sub(_escape, text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape(found: re.Match[str]) -> str:
    odd = found[0]
    if odd[0] == "_":
        return f"_x005F_{odd[1]}"
    units = odd.encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"_x{units[at : at + 4]}_" for at in range(0, len(units), 4))
