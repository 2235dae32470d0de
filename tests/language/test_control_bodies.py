"""language.md, the bodies of control: what `gate`, `wait_for`, `fail`, `http`, `ensure` and `read_only` do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.language.author import Author


class Answers(BaseHTTPRequestHandler):
    """Answers `/200` with 200, and so on; what was sent comes back."""

    def do_GET(self) -> None:
        """Answer with the status of the path."""
        self.answer()

    def do_POST(self) -> None:
        """The same."""
        self.answer()

    def answer(self) -> None:
        """Send back what came."""
        size = int(self.headers.get("Content-Length", 0))
        document = {
            "method": self.command,
            "sent": self.rfile.read(size).decode(),
            "who": self.headers.get("X-Who"),
        }
        text = json.dumps(document).encode()
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_gate_without_a_default_is_refused_where_nobody_can_be_asked(author: Author) -> None:
    """Under `--no-input`, at its position, before anything runs."""
    ran = author.run("steps:\n  - {id: x, script: touch ran}\n  - {id: ask, gate: Go on?}\n", "--no-input")
    problem = ran.only_problem()
    assert problem["line"] == 4
    assert "default" in ran.words
    assert not (author.folder / "ran").exists()


@pytest.mark.parametrize(("default", "code", "after"), [("go", 0, "ok"), ("stop", 4, "cancelled")])
def test_a_gates_default_counts_when_nobody_answers(
    author: Author, default: str, code: int, after: str
) -> None:
    """At its timeout: `go` goes on, `stop` ends the run with exit code 4."""
    ran = author.run(
        f"""
        steps:
          - {{id: ask, gate: {{message: 'Go on?', timeout: 100ms, default: {default}}}}}
          - {{id: after, script: echo after}}
        """,
        "--no-input",
    )
    assert (ran.code, ran.status("after")) == (code, after)
    assert "gate ask: Go on?; answer with `runner runs approve " in ran.stderr


def test_a_gate_may_hold_until_a_condition_does(author: Author) -> None:
    """A script is run again until it succeeds; an expression that holds lets through at once."""
    ran = author.run(
        """
        steps:
          - {id: count, gate: {that: {script: 'echo x >> n; test $(wc -l < n) -ge 2'}, timeout: 50s, default: stop}}
          - {id: sums, gate: {that: 1 + 1 == 2, default: stop}}
          - {id: after, script: echo after}
        """,
        "--no-input",
    )
    assert (ran.code, ran.output("after")) == (0, ["after"])
    assert (author.folder / "n").read_text().count("x") == 2


def test_wait_for_a_path_of_the_host(author: Author) -> None:
    """It is there when another step has made it."""
    ran = author.run(
        """
        steps:
          - {id: waits, needs: [], wait_for: {path: made, timeout: 50s, interval: 20ms}}
          - {id: makes, needs: [], script: touch made}
        """
    )
    assert (ran.code, ran.status("waits")) == (0, "ok")


def test_wait_for_gives_up(author: Author) -> None:
    """The host fails when the time is over."""
    ran = author.run("steps:\n  - {id: waits, wait_for: {path: never, timeout: 100ms, interval: 20ms}}\n")
    assert (ran.code, ran.status("waits")) == (1, "failed")
    assert "never" in ran.result("waits")["failure"]["message"]


def test_wait_for_a_url_and_its_status(author: Author, web: str) -> None:
    """200 by default, another one where that is asked for."""
    ran = author.run(
        f"""
        steps:
          - {{id: up, wait_for: {{url: "{web}/200", timeout: 50s}}}}
          - {{id: teapot, wait_for: {{url: "{web}/418", status: 418, timeout: 50s}}}}
          - {{id: wrong, wait_for: {{url: "{web}/503", timeout: 100ms, interval: 20ms}}}}
        """
    )
    assert [ran.status(step) for step in ("up", "teapot", "wrong")] == ["ok", "ok", "failed"]


@pytest.mark.parametrize("origin", ["controller", "host"])
def test_wait_for_a_port_from_either_side(author: Author, web: str, origin: str) -> None:
    """`from: controller` or `host`."""
    port = web.rpartition(":")[2]
    ran = author.run(
        f"steps:\n  - {{id: up, hosts: a, wait_for: {{port: {port}, from: {origin}, timeout: 50s}}}}\n"
    )
    assert (ran.code, ran.status("up", "a")) == (0, "ok")


def test_fail_fails_the_host_with_its_message(author: Author) -> None:
    """Each host by its own `when`; the message is a template."""
    ran = author.run(
        "steps:\n  - {id: no, hosts: pair, when: weight > 1, fail: 'no backup on {{ inventory_hostname }}'}\n"
    )
    assert (ran.code, ran.status("no", "a"), ran.status("no", "b")) == (1, "skipped", "failed")
    assert ran.result("no", "b")["failure"]["message"] == "no backup on b"


def test_http_comes_from_the_controller_for_each_host(author: Author, web: str) -> None:
    """With the host's variables in all of its fields, and the answer as the host's result."""
    ran = author.run(
        f"""
        steps:
          - id: tell
            hosts: pair
            http:
              url: "{web}/200"
              method: post
              headers: {{X-Who: "{{{{ inventory_hostname }}}}"}}
              json: {{weight: "{{{{ weight }}}}"}}
        """
    )
    assert ran.code == 0, ran.results
    answers = [ran.output("tell", host) for host in "ab"]
    assert [answer["status"] for answer in answers] == [200, 200]
    assert [answer["json"]["who"] for answer in answers] == ["a", "b"]
    assert [json.loads(answer["json"]["sent"]) for answer in answers] == [{"weight": 1}, {"weight": 2}]


@pytest.mark.parametrize(
    ("answered", "accepted", "status"),
    [
        (204, "", "ok"),
        (404, "", "failed"),
        (404, "status: [200, 404]", "ok"),
        (200, "status: 300-399", "failed"),
    ],
)
def test_http_accepts_what_it_is_told_to(
    author: Author, web: str, answered: int, accepted: str, status: str
) -> None:
    """200-299 by default."""
    ran = author.run(f"steps:\n  - {{id: x, http: {{url: '{web}/{answered}', {accepted}}}}}\n")
    assert ran.status("x") == status


@pytest.mark.parametrize(("code", "status"), [(0, "ok"), (1, "failed"), (2, "failed")])
def test_the_exit_code_of_a_test_says_whether_it_is_so(author: Author, code: int, status: str) -> None:
    """0 it is, 1 it is not, anything else nobody knows; `set` runs for 1 alone, and `test` again after it."""
    ran = author.run(
        f"steps:\n  - {{id: x, ensure: {{test: echo t >> seen; exit {code}, set: echo s >> seen}}}}\n"
    )
    assert ran.status("x") == status
    assert (author.folder / "seen").read_text().split() == {0: ["t"], 1: ["t", "s", "t"], 2: ["t"]}[code]


ENSURE = """
steps:
  - {id: so, ensure: {test: test -e made, set: touch made}, register: so}
  - {id: looks, read_only: true, changed_when: true, script: echo looked}
  - {id: acts, script: touch acted}
  - {id: reads, read_only: true, script: 'echo $Using:how', using: {how: "{{ so.changed }}"}}
"""


def test_check_runs_only_what_changes_nothing(author: Author) -> None:
    """`test` and `read_only` steps; exit code 5 where something would change."""
    ran = author.run(ENSURE, "--check")
    assert ran.code == 5, ran.results
    assert ran.result("so")["would_change"] is True
    assert ran.output("looks") == ["looked"]
    assert ran.status("acts") == "skipped"
    assert not (author.folder / "made").exists()
    assert not (author.folder / "acted").exists()


def test_a_run_makes_it_so_once(author: Author) -> None:
    """Changed the first time, ok the second; a `read_only` step is never changed, whatever it says."""
    first, second = author.run(ENSURE), author.run(ENSURE)
    assert (first.code, second.code) == (0, 0)
    assert [ran.status("so") for ran in (first, second)] == ["changed", "ok"]
    assert [ran.status("looks") for ran in (first, second)] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("book", "word"),
    [
        ("steps:\n  - {id: x, waves: [1, 100%], script: echo}\n", "waves"),
        ("steps:\n  - {id: x, hosts: pair, waves: [1, 120%], script: echo}\n", "120%"),
        ("steps:\n  - {id: x, hosts: pair, pool: nowhere, script: echo}\n", "nowhere"),
        ("pools: {p: 2}\nsteps:\n  - {id: x, hosts: pair, pool: {p: 3}, script: echo}\n", "3"),
        ("steps:\n  - {id: x, hosts: pair, health: 1 == 1, lock: forever, script: echo}\n", "forever"),
        ("steps:\n  - {id: x, hosts: pair, any_errors: ignore, script: echo}\n", "ignore"),
        ("steps:\n  - {id: x, hosts: pair, rerun: sometimes, script: echo}\n", "sometimes"),
        ("steps:\n  - {id: x, hosts: pair, wait_for: {port: 1, path: /x}}\n", "path"),
        ("steps:\n  - {id: x, hosts: pair, rescue: [{script: echo}], script: echo}\n", "rescue"),
        ("steps:\n  - {id: x, hosts: pair, delegate_to: nobody, script: echo}\n", "nobody"),
    ],
    ids=[
        "local-waves",
        "percent",
        "pool",
        "weight",
        "lock",
        "any-errors",
        "rerun",
        "two-waits",
        "rescue",
        "delegate",
    ],
)
def test_what_cannot_be_is_refused_at_its_position(author: Author, book: str, word: str) -> None:
    """Exit code 2 with line and column; nothing was run."""
    ran = author.run(book)
    assert ran.code == 2, ran.stdout
    assert word in ran.words
    assert all(problem["line"] and problem["column"] for problem in ran.problems)
