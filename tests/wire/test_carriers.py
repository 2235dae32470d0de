"""A part of the recorded runs over the other two carriers: what is asked and what comes does not depend on the way."""

from __future__ import annotations

import pytest

from tests.support.recorded import runs
from tests.wire.comparing import differences
from tests.wire.conversations import answered
from tests.wire.playing import Way, ssh, winrm
from tests.wire.said import sayable

#: Something of everything: values, `$Using:`, secrets, streams, errors, exit, input, stops, arguments, commands.
SAMPLE = (
    "01-output-order",
    "02-using-spellings",
    "03-using-chain",
    "08-using-default",
    "13-type-ordered",
    "13-type-string",
    "15-instants",
    "18-values-out",
    "19-secure-in",
    "21-streams",
    "22-error",
    "26-exit",
    "28-input",
    "30-stop",
    "40-arguments",
    "41-commands",
    "44-formatted",
    "53-bytes-in",
    "54-progress",
    "55-output-order",
    "e14-exchange",
)
RUNS = {run.name: run for name in SAMPLE for run in runs(name) if sayable(run)}


@pytest.mark.pwsh
@pytest.mark.parametrize(
    "way", [pytest.param(ssh, marks=pytest.mark.sshd, id="ssh"), pytest.param(winrm, id="winrm")]
)
@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_same_over_every_carrier(name: str, way: Way) -> None:
    """Request and result of a run are those recorded, over an SSH subsystem and over WSMan."""
    step = answered(RUNS[name], way)

    assert step.asked == step.run.asked
    assert differences(step.run, step.result, step.order) == {}
