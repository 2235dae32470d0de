"""What steps leave for later ones: own results, those of other hosts, values of `set_vars`, and what a resume lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runner.engine.result import Result, Status
from runner.execute.registry import Registry
from runner.variables.scope import VariableError


def result(host: str, output: object, status: Status = Status.OK) -> Result:
    return Result(step="look", host=host, status=status, output=output, exit_code=0)


def test_every_host_of_a_run_once_step_sees_its_result() -> None:
    """Under the name as its own, and in `results` under its name."""
    registry = Registry(["a", "b", "c"])
    registry.register("found", "look", result("a", ["x"]), hosts=("a", "c"))
    assert registry.layer("c")["found"].value["output"] == ["x"]
    assert list(registry.results()["found"]) == ["a", "c"]
    assert "found" not in registry.layer("b")


def test_of_the_same_name_the_last_one_counts() -> None:
    """Values of `set_vars` and registered results have one precedence: what came later is what is read."""
    registry = Registry(["a"])
    registry.register("port", "look", result("a", ["80"]))
    registry.set_variables("a", "set", {"port": 8080, "name": "web"})
    assert registry.layer("a")["port"].value == 8080
    assert registry.layer("a")["name"].source == "set by step `set`"
    registry.register("port", "look", result("a", ["81"]))
    assert registry.layer("a")["port"].value["output"] == ["81"]


@pytest.mark.parametrize(
    "read",
    [
        lambda seen: seen["output"],
        lambda seen: seen.get("output"),
        list,
        lambda seen: dict(seen.items()),
        lambda seen: list(seen.values()),
        lambda seen: list(seen.keys()),
        str,
        lambda seen: f"{seen}",
    ],
    ids=["member", "get", "list", "items", "values", "keys", "str", "format"],
)
def test_what_held_a_secret_cannot_be_read_after_a_resume(read: Callable[[Any], object]) -> None:
    """However it is read, and never are stars given for it; the step that gave it is named, with what to type."""
    registry = Registry(["a"])
    registry.register("login", "log_in", result("a", ["***"]), lost=True)
    with pytest.raises(VariableError) as caught:
        read(registry.layer("a")["login"].value)
    assert caught.value.code == "resumed-secret"
    assert "`log_in`" in caught.value.message
    assert caught.value.hints == ("run that step again: `runner resume RUN --rerun log_in`",)


def test_how_a_step_ended_is_known_although_its_secret_is_lost() -> None:
    """`login is succeeded` needs no output."""
    registry = Registry(["a"])
    registry.register("login", "log_in", result("a", ["***"], Status.CHANGED), lost=True)
    seen = registry.results()["login"]["a"]
    assert (seen["status"], seen["exit_code"]) == ("changed", 0)


def test_lost_values_of_set_vars_cannot_be_read_either() -> None:
    """Each of its names is refused."""
    registry = Registry(["a"])
    registry.set_variables("a", "set", {"token": "***"}, lost=True)
    with pytest.raises(VariableError) as caught:
        _ = registry.layer("a")["token"].value
    assert caught.value.code == "resumed-secret"
