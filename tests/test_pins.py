"""Another library than the pinned one is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from stages.errors import DataError
from stages.pins import check_pins


def test_what_is_installed_is_what_is_pinned_or_an_error(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text(f"# arrays\nnumpy=={np.__version__}  # BSD\n\n")
    check_pins(pins)
    pins.write_text("numpy==0.0.1\n")
    with pytest.raises(
        DataError, match=rf"pins\.txt: expected numpy 0\.0\.1, got {np.__version__} installed \(run `make install`\)$"
    ):
        check_pins(pins)
    pins.write_text("no-such-library==1.0\n")
    with pytest.raises(DataError, match=r"expected no-such-library 1\.0, got none installed"):
        check_pins(pins)
