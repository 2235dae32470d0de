"""The PowerShell that the product itself sends, as far as it can be judged without an engine: what 5.1 and 7 both take.

A real engine runs these texts in tests/end_to_end/test_powershell_files.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from runner.execute.bodies import reboot_scripts, wait_scripts
from runner.execute.locks import scripts as lock_scripts
from runner.execute.powershell import children as powershell_children
from runner.execute.powershell import file_scripts as powershell_file_scripts
from runner.psrp import script
from runner.using.powershell import scan

TEXTS = {
    "look at a file": powershell_file_scripts.LOOK,
    "put": powershell_file_scripts.PUT,
    "settle": powershell_file_scripts.SETTLE,
    "find": powershell_file_scripts.FIND,
    "take": powershell_file_scripts.TAKE,
    "look at a session": script._LOOK,
    "children": powershell_children._CHILDREN,
    "boot": reboot_scripts.BOOT_POWERSHELL,
    "restart": reboot_scripts.RESTART_POWERSHELL,
    "port": wait_scripts.PORT_POWERSHELL,
    "path": wait_scripts.PATH_POWERSHELL,
    "url": wait_scripts.URL_POWERSHELL,
    "lock": lock_scripts.POWERSHELL,
}
EACH = pytest.mark.parametrize("name", TEXTS)
OF_FILES = pytest.mark.parametrize("name", list(TEXTS)[:5])

_QUOTED = re.compile(r"'(?:[^']|'')*'|#[^\n]*")
_VARIABLE = re.compile(r"[$@](?:global:)?(\w+)")


def code(name: str) -> str:
    """A text without its comments and what stands in single quotes."""
    return _QUOTED.sub("''", TEXTS[name])


def blocks(text: str, word: str) -> Iterator[str]:
    """What stands in the braces behind each ``word``."""
    for found in re.finditer(rf"\b{word}\s*\{{", text):
        depth, at = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield text[found.end() : at - 1]


@EACH
def test_a_text_can_be_read(name: str) -> None:
    """Our reader of PowerShell, which agrees with the engine's, finds no fault and no `$Using:`; brackets are even."""
    found = scan(TEXTS[name])
    assert (found.problems, found.references) == ((), ())
    left = code(name)
    while (less := re.sub(r"\([^()\[\]{}]*\)|\[[^()\[\]{}]*\]|\{[^()\[\]{}]*\}", "", left)) != left:
        left = less
    assert not re.findall(r"[()\[\]{}]", left)


@EACH
@pytest.mark.parametrize(
    "newer",
    [
        r"\?\?",  # null-coalescing
        r"\?[.\[]",  # null-conditional
        r"\s\?\s",  # ternary
        r"&&|\|\|",  # chains of pipelines
        r"\bclean\s*\{",
        r"-Parallel\b|-AsByteStream\b|-Encoding Byte\b|Join-String",
        r"ConvertFrom-Json[^|;\n]*-(?:AsHashtable|Depth)",
    ],
)
def test_nothing_is_of_one_engine_alone(name: str, newer: str) -> None:
    """No syntax or parameter that either Windows PowerShell 5.1 or PowerShell 7 does not know."""
    assert not re.search(newer, code(name))


@EACH
def test_every_variable_has_one_spelling(name: str) -> None:
    """Names are the same in any case: `$mode` that is set in a script with a parameter `$Mode` is that parameter."""
    spellings: dict[str, set[str]] = {}
    parameters = TEXTS[name].partition("param(")[2].partition(")\n")[0]
    for text in (parameters, code(name).partition(")\n")[2]):
        outside = re.sub(r"function [\w-]+\([^)]*\) *\{.*?\n(?:\}|(?=function))", "", text, flags=re.DOTALL)
        for found in _VARIABLE.findall(outside):
            spellings.setdefault(found.lower(), set()).add(found)
    automatic = {"input", "error", "pid"}
    assert [names for key, names in spellings.items() if len(names) > 1 and key not in automatic] == []


@EACH
def test_nothing_stays_in_the_session(name: str) -> None:
    """Of what is global only the exit code of programs is touched, and that is put back."""
    touched = re.findall(r"\$(?:global|script):\w+", code(name))
    assert set(touched) <= {"$global:LASTEXITCODE"}
    assert code(name).count("$global:LASTEXITCODE = $before") == code(name).count(
        "$before = $global:LASTEXITCODE"
    )
    assert not re.search(r"Set-Location|Set-Variable|\$env:\w+ *=|-Scope (?!Global -ValueOnly)", code(name))


@OF_FILES
def test_a_stream_is_closed_also_by_a_stop(name: str) -> None:
    """After each file that is opened comes a `try`, whose `finally` closes it: Windows removes no open file."""
    for opening in re.findall(
        r"\$stream = \[IO\.File\]::Open[^\n]*\n(?:catch[^\n]*\n)?(?:#[^\n]*\n)*(.*?)\n", TEXTS[name]
    ):
        assert opening.lstrip().startswith("try {"), opening
    closed = [text for text in blocks(code(name), "finally") if "$stream.Dispose()" in text]
    assert len(closed) == code(name).count("[IO.File]::Open(")


@OF_FILES
def test_a_failure_is_told_by_its_word(name: str) -> None:
    """What is thrown begins with a word of ours; what .NET throws is caught and given one, or is told as it is."""
    words = re.findall(r"(?:Deny|Invoke-Program) '([\w-]+)'", TEXTS[name])
    known = {"file-script", *powershell_file_words()}
    assert set(words) <= known
    for thrown in re.findall(r'throw "(\S+)', TEXTS[name]):
        assert thrown in {"file-script", "$Word"}


def powershell_file_words() -> set[str]:
    """The words that are told as refusals."""
    from runner.execute.bodies.host_files import REFUSALS  # noqa: PLC0415 - wanted here alone

    return set(REFUSALS)


def test_content_is_read_within_what_closes_the_file() -> None:
    """`$input`, which streams, stands in the `try`: a process block could have no `finally` around all its pieces."""
    put = code("put")
    assert not re.search(r"\b(?:begin|process|end)\s*\{", put)
    (reading,) = [text for text in blocks(put, "try") if "$input" in text]
    assert "$stream.Write($piece, 0, $piece.Length)" in reading


def test_the_mode_of_a_file_is_read_by_number() -> None:
    """`stat` says `regular file` in the language of the host; its numbers are the same everywhere."""
    assert "%F" not in re.sub(r"(?m)#.*$", "", TEXTS["find"])
    assert "0xF000) -eq 0x8000" in TEXTS["find"]


def test_what_looks_at_a_session_works_without_methods() -> None:
    """Under AppLocker only cmdlets and properties are allowed; the one method is asked for the language mode first."""
    text = code("look at a session")
    calls = re.findall(r"(?:\]::|\.)\w+\(", text)
    assert calls == [".RemoveAt("]
    (guarded,) = re.findall(r"LanguageMode -eq '' *\) *\{(.*?)\n\}", text, re.DOTALL)
    assert ".RemoveAt(" in guarded


@EACH
def test_a_path_goes_to_a_program_in_quotes(name: str) -> None:
    """On Unix the engine expands patterns in what a variable holds (PowerShell's NativeUnixGlobbing.Tests.ps1).

    The file `a[1]` would be `a1`. Options are splatted: no author's path is among them.
    """
    called = re.findall(r"& (?:ln|ls|sh|stat|wall|chown|chmod|\$[Pp]rogram)\b[^\n]*?(?=2>&1|\))", TEXTS[name])
    for line in called:
        assert re.findall(r'(?<!")\$(?![Pp]rogram)\w+', line) == [], line
    assert len(called) == TEXTS[name].count("& ") - len(
        re.findall(r"& (?:\(|shutdown|systemctl)", TEXTS[name])
    )


def test_one_alone_gives_a_lock_its_name() -> None:
    """File.Move is safe on Windows alone: on Unix it looks whether there is such a file, and then renames over it."""
    text = code("lock")
    (moving,) = re.findall(r"[^\n]*\[IO\.File\]::Move\([^\n]*", text)
    before = text[: text.index(moving)].rstrip().splitlines()[-1]
    assert before.strip() == "if ($windows) {"
    assert '& ln -- "$Temporary" "$Path"' in text


@pytest.mark.parametrize("name", ["url", "boot", "restart"])
def test_a_script_of_ours_is_not_of_a_strict_session(name: str) -> None:
    """What asks for a property that may not be there does it whatever the strict mode of the host's sessions is."""
    assert "Set-StrictMode -Off" in code(name)


def test_windows_powershell_is_given_what_it_lacks() -> None:
    """5.1 speaks TLS 1.0 and IPv4 where nobody asks for more; the session's protocols are put back."""
    url = code("url")
    assert "-bor 3072" in url
    assert any("SecurityProtocol = $before" in text for text in blocks(url, "finally"))
    assert "DualMode = $true" in code("port")


def test_children_are_told_from_strangers() -> None:
    """On Windows a process older than the engine is no child of it whatever its parent's number; nor is a console."""
    text = TEXTS["children"]
    assert "$_.CreationDate -ge $begun" in text
    assert "$_.Name -ne 'conhost.exe'" in text
    assert text.index("$ErrorActionPreference = 'Stop'") < text.index("Get-CimInstance")
