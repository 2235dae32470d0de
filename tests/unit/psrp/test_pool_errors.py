"""Each error of a pool names the host, and most say what to type."""

from __future__ import annotations

import pytest

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.psrp.fragments import TooMuch
from runner.psrp.pool_errors import PoolErrors, while_opening

ERRORS = PoolErrors("PowerShell on `web1`")
WITH_A_WAY_OUT = [
    ERRORS.not_opened_in_time(180),
    ERRORS.too_old("2.1"),
    ERRORS.broken("gone", running=True),
    ERRORS.bad_fragment("odd"),
    ERRORS.too_much(TooMuch(1 << 20, of_object=True)),
    ERRORS.too_much(TooMuch(1 << 20, of_object=False)),
    ERRORS.not_stopped(60),
    ERRORS.no_answer("answer a reset", running=False),
    ERRORS.no_key("none came"),
    ERRORS.end_missed(),
    ERRORS.end_unreadable("an end in a form"),
]


@pytest.mark.parametrize("error", WITH_A_WAY_OUT, ids=lambda error: error.code)
def test_each_error_names_the_host_and_a_way_out(error: HostError) -> None:
    """A run may have 2,000 hosts, and who reads this has an outage."""
    assert "PowerShell on `web1`" in error.message
    assert error.hints
    assert all(error.hints)


def test_what_the_peer_says_itself_is_told() -> None:
    """Where it refuses there is no better hint than its own words."""
    assert "because of this" in ERRORS.not_opened("because of this").message
    assert "web1" in ERRORS.closed(running=False).message


def test_a_loss_while_opening_reached_nobody() -> None:
    """Nothing of the author's was sent then; what is no loss stays what it is."""
    loss = while_opening(ConnectionLost("engine-lost", "it ended", hints=("look",), may_have_run=True))
    assert isinstance(loss, Unreachable)
    assert (loss.code, loss.hints, loss.may_have_run) == ("engine-lost", ("look",), False)
    refused = ERRORS.not_opened("no")
    assert while_opening(refused) is refused
