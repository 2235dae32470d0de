"""Data over OpenSSH, both ways: long, binary and broken output, large and awkward values, many hosts at once."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tests.end_to_end.site import Site

pytestmark = [pytest.mark.sshd]

HEAD = """\
targets: {all: {hosts: all}, py: {hosts: all, shell: python}, bash: {hosts: all, shell: bash}}
sessions: {warm: {target: all}, snake: {target: py}}
"""

AWKWARD = "'\"`$(touch /nowhere) \\n \n\n\t * ~ !x %s \u00e9\U0001d11e $Using:x {{ y }} ;&|<> end\n"


async def test_ten_mebibytes_out(site: Site) -> None:
    """Long output is kept whole in a file and begins the result, from a fresh and from a kept interpreter."""
    site.hosts("a")
    script = "for n in range(10 * 16384): print(f'{n:063}')"
    done = await site.run_steps(
        f"""\
        - {{id: fresh, target: py, script: "{script}"}}
        - {{id: kept, session: snake, needs: [], script: "{script}"}}
        """,
        head=HEAD,
    )
    expected = "".join(f"{n:063}\n" for n in range(10 * 16384)).encode()
    for step in ("fresh", "kept"):
        result = done.result(step, "a")
        assert (result["status"], result["truncated"]) == ("ok", True)
        kept = (site.folder / result["output_file"]).read_bytes()
        assert hashlib.sha256(kept).digest() == hashlib.sha256(expected).digest()
        assert result["output"] == expected.decode().splitlines()[: len(result["output"])]
        assert len(result["output"]) > 16000
    assert len(done.stdout) < 6 << 20


async def test_output_that_is_no_text(site: Site) -> None:
    """Bytes come back as bytes, line by line where only one line has some; a carriage return ends no line."""
    site.hosts("a")
    done = await site.run_steps(
        r"""
        - {id: lines, target: all, script: 'printf "good\n\377\000\376\nafter\n"; printf "err\377\n" >&2'}
        - {id: text, target: all, output: text, script: 'printf "a\r\nb\r\n\n"'}
        - {id: crlf, target: all, script: 'printf "a\r\nb\rc\r\n"'}
        - {id: blob, target: py, output: text,
           script: 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)'}
        - {id: silent, target: all, script: 'true'}
        """,
        head=HEAD,
    )
    lines = done.result("lines", "a")
    assert lines["output"] == ["good", {"$bytes": base64.b64encode(b"\xff\0\xfe").decode()}, "after"]
    assert lines["stderr"] == ["err\\xff"]
    assert done.output("text", "a") == "a\r\nb\r\n\n"
    assert done.output("crlf", "a") == ["a", "b\rc"]
    assert base64.b64decode(done.output("blob", "a")["$bytes"]) == bytes(range(256)) * 100
    assert done.output("silent", "a") == []


async def test_json_output(site: Site) -> None:
    """Objects reach the next step typed, also past what memory keeps; what is no JSON fails and says where."""
    site.hosts("a")
    done = await site.run_steps(
        """\
        - id: many
          target: py
          output: jsonl
          register: many
          script: |
            import json
            for n in range(60000): print(json.dumps({"n": n, "text": "é" * 10}))
        - {id: count, target: py, output: json,
           script: 'print([len($Using:many.output), $Using:many.output[59999]["n"]])'}
        - {id: one, needs: [], target: all, output: json, script: "printf '{\\"a\\": [1, 2.5, null]}'"}
        - {id: two, needs: [], target: all, output: json, script: "echo '{\\"a\\": 1} {'"}
        - {id: lines, needs: [], target: all, output: jsonl, script: 'echo 1; echo; echo oops; echo 3'}
        - {id: nothing, needs: [], target: all, output: json, script: 'true'}
        - {id: failing, needs: [], target: all, output: json, script: 'echo no json; exit 7'}
        """,
        head=HEAD,
    )
    assert done.output("count", "a") == [60000, 59999]
    assert done.output("one", "a") == {"a": [1, 2.5, None]}
    for step, words in {"two": "line 1, column 10", "lines": "line 3", "nothing": "printed nothing"}.items():
        result = done.result(step, "a")
        assert (result["status"], result["failure"]["code"]) == ("failed", "output-not-json")
        assert words in result["failure"]["message"]
        assert result["exit_code"] == 0
    assert done.result("failing", "a")["failure"]["code"] == "exit-code"
    assert done.code == 1


@pytest.mark.parametrize("size", [0, 1 << 20], ids=["awkward", "1MiB"])
async def test_values_arrive_as_they_are(site: Site, size: int) -> None:
    """Any text arrives byte for byte in each shell, fresh and kept, as value, argument, input and environment."""
    site.hosts("a")
    value = AWKWARD + ("x" * 60 + "'\"$\n") * (size // 64)
    (site.folder / "values.json").write_text(
        json.dumps({"value": value, "items": ["a b", value, ""]}, ensure_ascii=False)
    )
    argument = "" if size else 'printf %s "$1" | sha256sum; printf %s "$E" | sha256sum;'
    done = await site.run_steps(
        f"""\
        - id: sh
          target: all
          args: ["{{{{ value if {not size} else 'x' }}}}"]
          environment: {{E: "{{{{ value if {not size} else 'x' }}}}"}}
          input_object: "{{{{ value }}}}"
          script: |
            v=$Using:value
            printf %s "$v" | sha256sum; {argument} cat | sha256sum
        - {{id: kept, session: warm, script: 'printf %s "$Using:value" | sha256sum'}}
        - id: bash
          target: bash
          script: |
            a=("${{Using:items[@]}}")
            printf %s "${{a[1]}}" | sha256sum; echo "${{#a[@]}}"
        - id: python
          target: py
          script: |
            import hashlib
            print(hashlib.sha256($Using:value.encode()).hexdigest(), len($Using:items))
        """,
        "-e",
        "@values.json",
        head=HEAD,
    )
    digest = hashlib.sha256(value.encode()).hexdigest()
    assert done.code == 0, done.stdout[:3000]
    assert {line.split()[0] for line in done.output("sh", "a")[:-1]} == {digest}
    piped = done.output("sh", "a")[-1].split()[0]
    assert piped in {digest, hashlib.sha256((value + "\n").encode()).hexdigest()}
    assert done.output("kept", "a") == [f"{digest}  -"]
    assert done.output("bash", "a") == [f"{digest}  -", "3"]
    assert done.output("python", "a") == [f"{digest} 3"]


async def test_ten_mebibytes_in(site: Site) -> None:
    """Standard input is not bounded by what a pipe or a window holds."""
    site.hosts("a")
    done = await site.run_steps(
        """\
        - id: make
          target: py
          output: json
          register: made
          script: |
            import json
            print(json.dumps(["0123456789abcde"] * (10 << 16)))
        - {id: fresh, target: all, input_object: '{{ made.output }}', script: 'wc -c'}
        - {id: kept, session: warm, needs: [make], input_object: '{{ made.output }}', script: 'sort -u | wc -l'}
        """,
        head=HEAD,
    )
    assert done.output("fresh", "a") == [str(10 << 20)]
    assert done.output("kept", "a") == ["1"]


async def test_many_hosts_at_once(site: Site) -> None:
    """Sixty-four hosts, each with its own values and its own output, mixed up by nobody."""
    names = [f"h{number:02}" for number in range(64)]
    site.hosts(*names)
    done = await site.run_steps(
        """\
        - id: work
          target: py
          register: work
          script: |
            import random, time
            for n in range(200): print($Using:inventory_hostname, n)
        - id: all
          needs: [{step: work, wait: all}]
          shell: python
          output: json
          script: |
            import json
            print(json.dumps({host: result["output"][-1] for host, result in $Using:results.work.items()}))
        """,
        head=HEAD,
    )
    assert done.code == 0, done.stderr
    for name in names:
        assert done.output("work", name) == [f"{name} {n}" for n in range(200)]
    assert done.output("all", "localhost") == {name: f"{name} 199" for name in names}
