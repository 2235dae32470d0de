"""What every contract test uses."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contract.transports", "tests.contract.shells", "tests.contract.kept")
