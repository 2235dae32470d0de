"""What a step does: its body, from nodes to the dataclasses of :mod:`runner.playbook.bodies`."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingABC

from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.playbook.bodies import (
    AssertBody,
    Body,
    CommandBody,
    CommandItem,
    CopyBody,
    EnsureBody,
    FailBody,
    FetchBody,
    GateBody,
    HttpBody,
    LaterBody,
    RebootBody,
    ScriptBody,
    SetVarsBody,
    WaitForBody,
)
from runner.playbook.computed import status_range
from runner.playbook.context import StepContext
from runner.playbook.control_parse import parse_condition
from runner.playbook.later import BODIES
from runner.playbook.read import (
    Entries,
    bytes_of,
    entries_of,
    flag_of,
    items_of,
    scalars_of,
    seconds_of,
    text_of,
    word_of,
)
from runner.playbook.script_parse import parse_script_file, parse_scripts

_NOTHING = ScriptBody(())
_SUCCESS = ((200, 299),)


def parse_body(node: Mapping, own: Entries, context: StepContext) -> Body:
    """The body of a step; one without scripts where the schema check has told what is wrong with it."""
    for later in BODIES:
        if later in own:
            return LaterBody(later, node.key(later).span)
    key = next((key for key in _PARSERS if key in own), None)
    return _NOTHING if key is None else _PARSERS[key](own[key], own, context)


def _script(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    return ScriptBody(parse_scripts(value, context))


def _file(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    return ScriptBody(parse_script_file(value, context), from_file=True)


def _command(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del context
    if isinstance(value, Scalar):
        return CommandBody((CommandItem(value, own.get("args"), own.get("parameters")),))
    items = []
    for item in items_of(value):
        if isinstance(item, Mapping):
            name = item.get("name") or item.get("command")
            if name is not None:
                items.append(CommandItem(name, item.get("args"), item.get("parameters")))
        else:
            items.append(CommandItem(item))
    return CommandBody(tuple(items))


def _assert(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    if isinstance(value, Mapping):
        return AssertBody(scalars_of(value.get("that")), value.get("message"))
    return AssertBody(scalars_of(value))


def _copy(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    destination = value.get("dest") if isinstance(value, Mapping) else None
    if destination is None or not isinstance(value, Mapping):
        return _NOTHING
    return CopyBody(
        node=value,
        source=value.get("src"),
        content=value.get("content"),
        destination=destination,
        owner=value.get("owner"),
        group=value.get("group"),
        mode=value.get("mode"),
        backup=flag_of(value.get("backup")),
        validate=value.get("validate"),
    )


def _fetch(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    if not isinstance(value, Mapping):
        return _NOTHING
    source, destination = value.get("src"), value.get("dest")
    if source is None or destination is None:
        return _NOTHING
    return FetchBody(
        node=value,
        source=source,
        destination=destination,
        flat=flag_of(value.get("flat")),
        max_size=bytes_of(value.get("max_size")),
        missing=word_of(value.get("missing")) or "fail",
    )


def _ensure(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    parts = entries_of(value)
    test, set_ = (parse_scripts(parts.get(key), context, key=key) for key in ("test", "set"))
    return EnsureBody(test, set_) if test and set_ else _NOTHING


def _set_vars(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    return SetVarsBody(entries_of(value))


def _fail(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    return FailBody(value)


def _http(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own, context
    parts = entries_of(value)
    url = parts.get("url")
    if url is None:
        return _NOTHING
    statuses = tuple(filter(None, (status_range(item.text) for item in scalars_of(parts.get("status")))))
    return HttpBody(
        url=url,
        method=(text_of(parts.get("method")) or "GET").upper(),
        headers=parts.get("headers"),
        json=parts.get("json"),
        body=parts.get("body"),
        statuses=statuses or _SUCCESS,
        timeout=seconds_of(parts.get("timeout")),
    )


def _gate(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    if not isinstance(value, Mapping):
        return GateBody(message=value)
    return GateBody(
        message=value.get("message"),
        that=parse_condition(value.get("that"), context),
        timeout=seconds_of(value.get("timeout")),
        default=word_of(value.get("default")),
    )


def _wait_for(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    parts = entries_of(value)
    timeout, interval = seconds_of(parts.get("timeout")), seconds_of(parts.get("interval"))
    default = WaitForBody()
    return WaitForBody(
        port=parts.get("port"),
        path=parts.get("path"),
        url=parts.get("url"),
        that=parse_condition(parts.get("that"), context),
        status=status_range(text_of(parts.get("status")) or "") or default.status,
        timeout=default.timeout if timeout is None else timeout,
        interval=default.interval if interval is None else interval,
        origin=word_of(parts.get("from")) or ("host" if "path" in parts else default.origin),
    )


def _reboot(value: AnyNode, own: Entries, context: StepContext) -> Body:
    del own
    parts = entries_of(value)
    timeout = seconds_of(parts.get("timeout"))
    return RebootBody(
        timeout=RebootBody().timeout if timeout is None else timeout,
        test=parse_scripts(parts.get("test"), context, key="test"),
        message=parts.get("message"),
    )


_PARSERS: MappingABC[str, Callable[[AnyNode, Entries, StepContext], Body]] = {
    "script": _script,
    "file": _file,
    "command": _command,
    "copy": _copy,
    "fetch": _fetch,
    "assert": _assert,
    "ensure": _ensure,
    "set_vars": _set_vars,
    "http": _http,
    "fail": _fail,
    "gate": _gate,
    "wait_for": _wait_for,
    "reboot": _reboot,
}
