"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a test is no stopwatch: this machine may be busy
settings.load_profile("untimed")

ROOT = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("MOT_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real footage and references; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data not found at {SHARED_DATA} (set MOT_SHARED_DATA)")
    return SHARED_DATA
