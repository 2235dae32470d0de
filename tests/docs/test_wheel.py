"""What is installed from the package works without the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, runner


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip builds it, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["-m", "pip", "wheel", str(ROOT), "--no-deps", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, *command, "--wheel-dir", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [wheel] = folder.glob("runner-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.mark.slow
def test_the_wheel_carries_its_schemas(unpacked: Path, tmp_path: Path) -> None:
    """Each schema of the repository is inside, and the one inside is the one that is read."""
    inside = unpacked / "runner" / "schemas"
    assert {file.name for file in inside.iterdir()} == {file.name for file in (ROOT / "schemas").iterdir()}
    assert (unpacked / "runner" / "py.typed").is_file()
    vars_schema = inside / "vars.schema.json"
    vars_schema.write_text(
        vars_schema.read_text(encoding="utf-8").replace("a mapping of names", "this very copy"),
        encoding="utf-8",
    )
    assert "this very copy" in runner("schema", "vars", home=tmp_path, path=unpacked).stdout


@pytest.mark.slow
def test_an_example_validates_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """A playbook is checked by schemas that lie in the package, and a broken one is refused."""
    example = (ROOT / "playbooks" / "disk-space.yml").read_text(encoding="utf-8")
    playbook = tmp_path / "disk-space.yml"
    playbook.write_text(example, encoding="utf-8")
    done = runner("validate", str(playbook), "-i", "web01,", home=tmp_path, path=unpacked)
    assert done.returncode == 0, done.stderr
    playbook.write_text(example.replace("timeout: 30s", "timeuot: 30s"), encoding="utf-8")
    refused = runner("validate", str(playbook), "-i", "web01,", home=tmp_path, path=unpacked)
    assert refused.returncode == 2
    assert "did you mean `timeout`?" in refused.stderr
