"""Devices: chosen by the environment, and an exhausted memory is said in parameters."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.devices import fitting_batch_size, prepare_device, saying_what_fits
from stages.errors import ParamsError

ROOT = Path(__file__).parents[1]
TOO_MUCH = 2**60  # bytes; no address space has them


def needing(limit: int, size: int) -> torch.Tensor:
    """A tensor that exists up to this batch size alone."""
    return torch.empty(1 if size <= limit else TOO_MUCH, dtype=torch.uint8)


@pytest.mark.parametrize(("limit", "fitting"), [(8, 8), (7, 4), (1, 1)])
def test_a_batch_is_halved_until_it_fits(limit: int, fitting: int) -> None:
    assert fitting_batch_size(lambda size: needing(limit, size), 8) == fitting


def test_an_error_that_is_not_about_memory_is_not_taken_for_one() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        fitting_batch_size(lambda size: torch.zeros(2) + torch.zeros(3), 8)


def test_memory_exhausted_later_says_what_to_set() -> None:
    with (
        pytest.raises(ParamsError, match=r"detect\.batch_size: .* got none left at 8: set it to 4"),
        saying_what_fits("detect", 8),
    ):
        needing(0, 8)


REUSING = """
import resource
from stages.devices import keep_freed_memory
import numpy as np

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(64_000_000, dtype=np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such switch")
def test_freed_memory_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", REUSING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50  # hundreds with large pages, thousands with small ones


def test_the_environment_names_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    assert prepare_device("detect", threads=1, half=False).type == "cpu"
    with pytest.raises(ParamsError, match=r"detect\.half: expected false, got true on a CPU"):
        prepare_device("detect", threads=1, half=True)
    monkeypatch.setenv("RETRACE_DEVICE", "abacus")
    with pytest.raises(ParamsError, match=r"RETRACE_DEVICE .*: expected one of .*cpu.*, got 'abacus'"):
        prepare_device("detect", threads=1, half=False)
