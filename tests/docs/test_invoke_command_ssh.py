"""The examples of Invoke-Command's reference over SSH: what each sends to the subsystem of a real sshd.

What the clients write is kept on a tape on its way to the engine. sshd lets in whoever runs the tests alone, so the
reference's users are that one here.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT
from tests.support import openssh
from tests.support.engines import engine_command, real_engine, subsystem
from tests.support.examples import EXAMPLES, FOLDER, comparable, path_of, recorded_output, recorded_run
from tests.support.recorded_requests import heard

pytestmark = [pytest.mark.pwsh, pytest.mark.sshd]


@pytest.mark.parametrize("number", [number for number in EXAMPLES if number >= 19])
def test_an_example_asks_for_what_the_reference_implies(number: int, tmp_path: Path) -> None:
    """The subsystem is asked for the recorded pipelines, by the login that the example names."""
    example = EXAMPLES[number]
    tapes = tmp_path / "tapes"
    tapes.mkdir()
    taped = f"tee {shlex.quote(str(tapes))}/$$ | exec {shlex.join(engine_command())}"
    (tmp_path / "engine").write_text(f"#!/bin/sh\n{taped}\n")
    (tmp_path / "engine").chmod(0o755)
    with openssh.running(tmp_path / "sshd", extra=subsystem([str(tmp_path / "engine")])) as server:
        done = _run(number, server, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    pipelines = [sent.asked for tape in tapes.iterdir() for sent in heard(tape).pipelines]
    wanted = [recorded_run(name).asked for name in example.steps.values()]
    assert comparable(pipelines) == comparable(wanted * len(example.hosts))
    results = json.loads(done.stdout)["results"]
    assert {each["host"] for each in results} == set(example.hosts)
    if not real_engine():
        for each in results:
            assert each["output"] == recorded_output(example.steps[each["step"]])


def _run(number: int, server: openssh.OpenSsh, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of an example whose users are the server's, on hosts that are all the server."""
    copy = folder / "invoke-command"
    shutil.copytree(FOLDER, copy)
    playbook = copy / path_of(number).name
    text = playbook.read_text().split("\nversion: 1\n")[1]
    for user in ("'Domain\\UserA'", "UserA", "UserB"):
        text = text.replace(f"{user}@", f"{server.user}@").replace(f": {user}", f": {server.user}")
    playbook.write_text(f"version: 1\n{text}")
    hosts = {name: {"address": "127.0.0.1"} for name in EXAMPLES[number].hosts}
    inventory = {"version": 1, "connection": {"port": server.port}, "hosts": hosts}
    (folder / "inventory.yml").write_text(json.dumps(inventory))
    # Example 19 names no key: it is found in ~/.ssh, as ssh finds it.
    more = ["-e", f"key_file={server.client_key}"] if "key_file:" in text else []
    return subprocess.run(
        [
            *(sys.executable, "-m", "runner", "run", str(playbook)),
            *("-i", str(folder / "inventory.yml"), "-o", "json", *more),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(server.home), "PYTHONPATH": str(ROOT)},
    )
