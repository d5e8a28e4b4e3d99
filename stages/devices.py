"""The device that a network runs on, made to give equal bytes for equal input, and what to do when its memory is full.

float32 stays float32: TF32, which GPUs of the Ampere generation and later use by themselves for convolutions, rounds to 10
bits and is off. `half` is the way to trade digits for speed, and a parameter.
"""

import ctypes
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from stages.errors import ParamsError

VARIABLE = "RETRACE_DEVICE"
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA and MPS; the CPU's allocator


def prepare_device(section: str, threads: int, half: bool) -> torch.device:
    """The device to compute on, with deterministic kernels and this many CPU threads.

    The environment variable RETRACE_DEVICE (cpu, cuda, cuda:1, mps) goes before CUDA, MPS and CPU in this order.
    Raises ParamsError when that device is not there, or when `<section>.half` asks float16 of a CPU.
    """
    device = _chosen(os.environ.get(VARIABLE, ""))
    if half and device.type == "cpu":
        raise ParamsError(f"{section}.half: expected false, got true on a CPU: float16 needs a GPU")
    torch.set_num_threads(threads)
    keep_freed_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic with a fixed workspace only
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nothing reads it
    torch.backends.cudnn.benchmark = False  # it would choose kernels by a stopwatch
    torch.backends.cudnn.allow_tf32 = False
    return device


def keep_freed_memory() -> None:
    """Has glibc's malloc keep what is freed for the next layer's output, instead of asking the system for fresh pages.

    Those cost a sixth to a quarter of a CPU's time in `embed`. Where the C library has no such switch, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**30)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def _chosen(wish: str) -> torch.device:
    """The device of this name, or the best there is for an empty one."""
    available = ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    available += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if wish and wish not in available:
        raise ParamsError(f"{VARIABLE} (environment): expected one of {', '.join(available)}, got {wish!r}")
    return torch.device(wish or available[0])


def device_name(device: torch.device) -> str:
    """What the device is: results are equal, byte by byte, on devices of one name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} {platform.machine()}"


def fitting_batch_size(run: Callable[[int], object], batch_size: int) -> int:
    """The largest of batch_size, its half, its quarter, ... for which run(size) does not exhaust the memory."""
    while True:
        try:
            run(batch_size)
        except RuntimeError as error:
            if not _out_of_memory(error) or batch_size == 1:
                raise
            batch_size //= 2
        else:
            return batch_size


@contextmanager
def saying_what_fits(section: str, batch_size: int) -> Iterator[None]:
    """Turns an exhausted memory into a ParamsError that says what to set in this section of params.yaml."""
    try:
        yield
    except RuntimeError as error:
        if not _out_of_memory(error):
            raise
        advice = f"set it to {batch_size // 2}" if batch_size > 1 else "take a smaller network or image"
        raise ParamsError(
            f"{section}.batch_size: expected a batch that fits into the memory, got none left at {batch_size}: {advice}"
        ) from error


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)
