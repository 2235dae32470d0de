"""The chain of a reference applied to a value, as PowerShell evaluates it on the caller's side (strict mode)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from runner.using.model import Access, Index, Member


class ChainError(LookupError):
    """A member that does not exist, or an access on something that has none.

    ``message`` is one sentence without a full stop that names the access and the kind of value, never the value.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def apply_chain(value: Any, chain: tuple[Access, ...]) -> Any:
    """The value that ``chain`` leads to, starting from ``value``.

    Members are keys of mappings in any case (never attributes of Python objects), ``Count`` and ``Length`` of lists
    and texts, and on a list that has none of its own the member of each element. Indexes count from the end where
    negative; one out of range, and a key a mapping lacks, is None; a list of indexes gives the list of what is there.

    Raises:
        ChainError: the member does not exist, or the value is null or of a kind that takes no such access.

    """
    for access in chain:
        value = _member(value, access.name) if isinstance(access, Member) else _index(value, access)
    return value


def _member(value: Any, name: str) -> Any:
    if value is None:
        raise ChainError(f"`.{name}` is asked of null")
    if isinstance(value, Mapping):
        return _mapping_member(value, name)
    size = name.lower() in {"count", "length"}
    if isinstance(value, str | bytes):
        # A .NET string has a Length; Count is what PowerShell gives any single object.
        if size:
            return len(value) if name.lower() == "length" or isinstance(value, bytes) else 1
    elif _is_list(value):
        return len(value) if size else _of_each(value, name)
    raise ChainError(f"{_kind(value)} has no member `{name}`")


def _mapping_member(value: Mapping[Any, Any], name: str) -> Any:
    found, key = _find_key(value, name)
    if found:
        return value[key]
    if name.lower() == "count":
        return len(value)
    known = [str(key) for key in value][:12]
    there = ", ".join(f"`{key}`" for key in known)
    raise ChainError(f"a mapping has no key `{name}`" + (f"; it has {there}" if known else "; it is empty"))


def _of_each(values: Sequence[Any], name: str) -> list[Any]:
    """Member enumeration: the member of each element that has it; at least one must."""
    found: list[Any] = []
    error: ChainError | None = None
    for value in values:
        try:
            member = _member(value, name)
        except ChainError as caught:
            error = caught
            continue
        found += member if _is_list(member) else [member]
    if not found and (error is not None or not values):
        raise ChainError(f"no element of the list has a member `{name}`")
    return found


def _index(value: Any, access: Index) -> Any:
    wanted = access.value
    if value is None:
        raise ChainError(f"`{_written(wanted)}` is asked of null")
    if isinstance(wanted, tuple):
        return [item for index in wanted for item in _at(value, index)]
    return next(iter(_at(value, wanted)), None)


def _at(value: Any, wanted: object) -> tuple[Any, ...]:
    """The item at one index, or nothing where there is none."""
    if isinstance(value, Mapping):
        found, key = _find_key(value, wanted)
        return (value[key],) if found else ()
    if not isinstance(value, str | bytes) and not _is_list(value):
        raise ChainError(f"{_kind(value)} takes no index `{_written(wanted)}`")
    position = _whole_number(wanted)
    return (value[position],) if -len(value) <= position < len(value) else ()


def _whole_number(wanted: object) -> int:
    """The index as a number; PowerShell converts text that is one, and rounds halves to even as Python does."""
    try:
        if isinstance(wanted, int | float):
            return round(wanted)
        if isinstance(wanted, str):
            return round(float(wanted))
    except (ValueError, OverflowError):
        pass
    raise ChainError(f"a list takes no index `{_written(wanted)}`: a whole number is needed")


def _find_key(value: Mapping[Any, Any], wanted: object) -> tuple[bool, Any]:
    """The mapping's own key for ``wanted``: the very one, else text in any case."""
    for key in value:
        if type(key) is type(wanted) and key == wanted:
            return True, key
    if isinstance(wanted, str):
        for key in value:
            if isinstance(key, str) and key.lower() == wanted.lower():
                return True, key
    return False, None


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _kind(value: object) -> str:
    names = {str: "a text", bytes: "bytes", bool: "a boolean", int: "an integer", float: "a number"}
    return names.get(type(value), f"a value of type {type(value).__name__}")


def _written(wanted: object) -> str:
    if isinstance(wanted, tuple):
        return "[" + ", ".join(_written(item)[1:-1] for item in wanted) + "]"
    return f"['{wanted}']" if isinstance(wanted, str) else "[null]" if wanted is None else f"[{wanted}]"
