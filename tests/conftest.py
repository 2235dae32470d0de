"""What holds for all tests: markers of real components, and no silent skips where CI promises them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing of the product: machines that run the tests are shared.
settings.register_profile("runner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("runner")

# What nohup, or a shell without job control, has told the tests to ignore would be ignored by all that they start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

_WINDOWS_RECORDINGS = Path(__file__).parents[2] / "shared" / "recordings" / "winrm"
#: What no registry has: PowerShell, and conversations that are not ours to keep here.
_NOT_TO_BE_HAD = ("pwsh", "windows_recordings")


def _missing(program: str) -> bool:
    return shutil.which(program) is None and not Path("/usr/sbin", program).exists()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose component this machine lacks, with the reason.

    A test marked ``pwsh`` runs against the replay endpoint where no ``pwsh`` is (tests/support/engines.py); only
    what cannot be replayed says ``pwsh(real=True)``.
    """
    for item in items:
        if item.get_closest_marker("sshd") and _missing("sshd"):
            item.add_marker(pytest.mark.skip(reason="`sshd` is not installed"))
        engine = item.get_closest_marker("pwsh")
        if engine and engine.kwargs.get("real") and _missing("pwsh"):
            item.add_marker(pytest.mark.skip(reason="`pwsh` is not installed, and this cannot be replayed"))
        if item.get_closest_marker("windows_recordings") and not _WINDOWS_RECORDINGS.exists():
            reason = "the recordings of other projects are not beside this checkout"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With RUNNER_TESTS_REQUIRE=all a skip is a failure, but for what cannot be installed."""
    del call
    report = yield
    if (
        os.environ.get("RUNNER_TESTS_REQUIRE") == "all"
        and report.skipped
        and not any(item.get_closest_marker(name) for name in _NOT_TO_BE_HAD)
    ):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Keep what runs record, and locks, out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
