"""Stages that cannot write: one line, status 1, no half file; and once they can, the bytes of an undisturbed run.

    python -m tests.campaigns.faults --rounds 5

Every round lets each stage of the tiny pipeline run by itself, without what it writes, under each of these:

- stopped: no file can grow beyond so many bytes (RLIMIT_FSIZE): the writer raises in the middle of any file
- full: the folder that it writes into is a file system (tmpfs) with so many bytes left, fewer than it needs
- read-only: that folder is mounted read-only
- orphan: a process of the same stage, of no DVC, was stopped half-way and goes on while `dvc repro` runs the stage

Losses are tracebacks and lines that are no single error, half written files, temporary files left behind, and bytes that differ
when the stage has run again.
"""

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.checkout import Checkout
from tests.tiny_pipeline import Stage, broken, contents, make_tiny, missing, remove_outs, stages_of, subset

MOUNTING = ("unshare", "--map-root-user", "--mount")
CAN_MOUNT = not subprocess.run([*MOUNTING, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode
PAGE = 4096  # what tmpfs counts in
PATIENCE_S = 3600.0
Fault = Callable[[Checkout, Stage, Random], "subprocess.CompletedProcess[str]"]


def stopped(project: Checkout, stage: Stage, rng: Random) -> "subprocess.CompletedProcess[str]":
    largest = max(sizes(project.folder, stage), default=0)
    remove_outs(project.folder, stage)
    return _run(project, "prlimit", f"--fsize={rng.randrange(largest + 1)}", "bash", "-c", stage.command)


def full(project: Checkout, stage: Stage, rng: Random) -> "subprocess.CompletedProcess[str]":
    """What the file system holds in the end is copied back."""
    needed = sum(sizes(project.folder, stage))
    remove_outs(project.folder, stage)
    folder = out_folder(project, stage, rng)
    held = sum(-(-path.stat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())
    inside, outside = shlex.quote(str(folder)), shlex.quote(str(project.folder.parent / "held"))
    size = max(held + rng.randrange(needed + 1), PAGE)  # 0 would be no limit
    script = (
        f"rm -rf {outside} && cp -a {inside} {outside} && mount -t tmpfs -o size={size} none {inside} "
        f"&& cp -a {outside}/. {inside}/ && rm -rf {outside} && ({stage.command}); status=$?; cp -a {inside} {outside} && "
        f"umount {inside} && rm -rf {inside} && cp -a {outside} {inside} && exit $status"
    )
    return _run(project, *MOUNTING, "bash", "-c", script)


def read_only(project: Checkout, stage: Stage, rng: Random) -> "subprocess.CompletedProcess[str]":
    remove_outs(project.folder, stage)
    folder = shlex.quote(str(out_folder(project, stage, rng)))
    script = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && {stage.command}"
    return _run(project, *MOUNTING, "bash", "-c", script)


def orphan(project: Checkout, stage: Stage, rng: Random) -> "subprocess.CompletedProcess[str]":
    first = subprocess.Popen(
        ["bash", "-c", stage.command], cwd=project.folder, env=project.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(rng.uniform(0, 2))
    first.send_signal(signal.SIGSTOP)
    second = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", stage.name], cwd=project.folder, env=project.environment(),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    time.sleep(rng.uniform(0, 6))
    first.send_signal(signal.SIGCONT)
    said, _ = second.communicate(timeout=PATIENCE_S)
    first.wait(PATIENCE_S)
    return subprocess.CompletedProcess(second.args, second.returncode, "", said)


FAULTS: dict[str, Fault] = {"stopped": stopped, "full": full, "read-only": read_only, "orphan": orphan}
NEED_MOUNTS = ("full", "read-only")


def sizes(folder: Path, stage: Stage) -> list[int]:
    """Bytes of the files that the stage wrote."""
    return [(folder / path).stat().st_size for path in contents(folder, [stage])]


def out_folder(project: Checkout, stage: Stage, rng: Random) -> Path:
    """A folder that the stage writes into."""
    folder = (project.folder / rng.choice(stage.outs)).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def suffer(project: Checkout, stage: Stage, fault: str, expected: dict[str, bytes], rng: Random) -> tuple[bool, list[str]]:
    """Whether the stage failed, and what was lost."""
    done = FAULTS[fault](project, stage, rng)
    lines = done.stderr.strip().splitlines()
    losses = []
    if done.returncode != 0:
        if fault == "orphan":
            losses.append(f"dvc ends with {done.returncode}, saying {lines[-5:]}")
        elif done.returncode != 1 or "Traceback" in done.stderr or not lines or not lines[-1].startswith("error: "):
            losses.append(f"status {done.returncode}, and in the end {lines[-3:]}")
        losses += [f"{path} is left behind" for path in leftovers(project.folder)]
    losses += [f"{path} is half written" for path in broken(project.folder, [stage], expected)]
    if done.returncode != 0:
        again = _run(project, "bash", "-c", stage.command)
        losses += [] if again.returncode == 0 else [f"run again, it says {again.stderr.splitlines()[-1:]}"]
    losses += [f"{path} differs in the end" for path in broken(project.folder, [stage], expected)]
    losses += [f"{path} is missing in the end" for path in missing(project.folder, [stage], subset(expected, stage))]
    return done.returncode != 0, [f"{stage.name}, {fault}: {loss}" for loss in losses]


def leftovers(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder)) for top in ("artifacts", "reports", "data") for path in (folder / top).rglob(".*.tmp")
    ]


def _run(project: Checkout, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=project.folder, env=project.environment(), text=True, timeout=PATIENCE_S, capture_output=True, check=False
    )


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seed", type=int, default=0)
    args = options.parse_args()
    rng, failed, runs = Random(args.seed), 0, Counter[str]()
    chosen = [fault for fault in FAULTS if CAN_MOUNT or fault not in NEED_MOUNTS]
    all_losses: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        project = make_tiny(Path(name))
        project.run("dvc repro", timeout_s=PATIENCE_S)
        stages = stages_of(project.folder)
        expected = contents(project.folder, stages)
        for _ in range(args.rounds):
            for stage in stages:
                for fault in chosen:
                    bitten, losses = suffer(project, stage, fault, expected, rng)
                    runs[fault] += 1
                    failed += bitten
                    all_losses += losses
                    for loss in losses:
                        print(f"LOSS {loss}", flush=True)
    counts = ", ".join(f"{count} {fault}" for fault, count in runs.items())
    print(f"all: {runs.total()} runs ({counts}), {failed} of which failed, {len(all_losses)} losses")
    return 1 if all_losses else 0


if __name__ == "__main__":
    sys.exit(main())
