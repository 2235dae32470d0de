"""What holds for all tests: markers of real components, and no silent skips where CI promises them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing of the product: machines that run the tests are shared.
settings.register_profile("runner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("runner")

_PROGRAMS = {"pwsh": "pwsh", "sshd": "sshd"}


def _missing(program: str) -> bool:
    return shutil.which(program) is None and not Path("/usr/sbin", program).exists()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose component this machine lacks, with the reason."""
    for item in items:
        for marker, program in _PROGRAMS.items():
            if item.get_closest_marker(marker) and _missing(program):
                item.add_marker(pytest.mark.skip(reason=f"`{program}` is not installed"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With RUNNER_TESTS_REQUIRE=all a skip is a failure, but for the one component no registry has: PowerShell."""
    del call
    report = yield
    if (
        os.environ.get("RUNNER_TESTS_REQUIRE") == "all"
        and report.skipped
        and not item.get_closest_marker("pwsh")
    ):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped here: {report.longrepr}"
    return report
