"""Stages and DVC killed at random: afterwards every artifact is whole or absent, and a rerun ends as if nothing had been.

    python -m tests.campaigns.kills --kills 200
    python -m tests.campaigns.kills --kills 20 --only track@plaza merge@plaza --seed 7

One project runs undisturbed; a second, of the same files in another folder, is killed in its first run, and then again and
again in stages that run by themselves, in stages that DVC is forced to run, and in the reruns that are to mend it. A kill is
SIGKILL to the stage, to DVC, or to both at once, while DVC starts, while a stage runs, while DVC saves what it wrote, or
anywhere in a rerun. Losses are a file that is neither absent nor what the undisturbed run wrote, a process that outlives its
DVC, a rerun (of the stage, or mend_lock and dvc repro) that fails, and bytes that differ in the end. Files that tell the time
need only be whole.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from tests.checkout import Checkout
from tests.tiny_pipeline import Stage, broken, contents, make_tiny, missing, remove_outs, stages_of, subset

STARTING_S, SAVING_S, RERUN_S = 1.5, 0.7, 5.0  # CPU time of DVC before a stage, after it, and in a rerun with little to do
FIRST_RUN_S = 15.0  # the same in the first run; its stages not counted
UNTIMED_S = 3.0  # taken for a stage that has not run here yet
GONE_S = 60.0  # no process may live longer after its DVC
MOMENTS = {"dvc starts": 1, "stage runs": 6, "dvc saves": 3}
VICTIMS = ("stage", "dvc", "both")
FIRST_RUN_KILLS = 8
ALONE = 0.7  # share of trials without DVC, which takes most of the time
DISTURBED = 0.5  # share of reruns that are killed, too, and of the reruns after these
FORGETFUL = 0.3  # share of reruns that may not look into DVC's run cache: the killed stage computes again
MEND = "python -m stages.mend_lock"
PATIENCE_S = 7200.0  # machines may be busy


@dataclass
class Trial:
    """A project that is killed, and what came of it."""

    project: Checkout
    stages: list[Stage]
    expected: dict[str, bytes]
    rng: Random
    kills: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)
    mended: int = 0
    seconds: dict[Stage, float] = field(default_factory=lambda: defaultdict(lambda: UNTIMED_S))  # that a stage took

    def run_killed(self, command: list[str], kill: Callable[["subprocess.Popen[bytes]"], bool]) -> bool:
        """Starts DVC and has it killed; says whether somebody was still there to be killed."""
        running = subprocess.Popen(
            command, cwd=self.project.folder, env=self.project.environment(), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            killed = kill(running)
        finally:
            running.wait()
        if not _all_gone(running.pid):
            self.losses.append(f"{' '.join(command)}: a process outlives its DVC")
        return killed

    def _kill_dvc(self, running: "subprocess.Popen[bytes]", worked_s: float, victim: str) -> bool:
        """Kills DVC, or it and its stage, when DVC has worked so long from now on."""
        _work(psutil.Process(running.pid), self.rng.uniform(0, worked_s))
        if running.poll() is not None:
            return False
        if victim == "dvc":
            running.kill()
        else:
            os.killpg(running.pid, signal.SIGKILL)
        return True

    def _kill_stage(self, running: "subprocess.Popen[bytes]", stage: Stage, moment: str, victim: str) -> bool:
        """Kills while DVC starts, while the stage runs, or after it."""
        if moment == "dvc starts":
            return self._kill_dvc(running, STARTING_S, victim)
        worker = _stage_process(running, stage)
        if worker is None:
            return False
        if moment == "dvc saves":
            worker.wait()
            return running.poll() is None and self._kill_dvc(running, SAVING_S, victim)
        time.sleep(self.rng.uniform(0, 1.1 * self.seconds[stage]))
        if victim == "stage":
            return _killed(worker)
        return self._kill_dvc(running, 0, victim)

    def check_left(self, what: str) -> None:
        self.losses += [f"{what}: {path} is half written" for path in broken(self.project.folder, self.stages, self.expected)]

    def recover(self, what: str, *options: str) -> None:
        """Runs what `make repro` runs, and compares everything with the undisturbed run."""
        try:
            said = self.project.run(f"{MEND} && dvc repro {' '.join(options)}", timeout_s=PATIENCE_S)
        except AssertionError as error:
            self.losses.append(f"{what}: {error}")
            return
        self._count_mended(said)
        self.check_left(f"{what}, then a rerun")
        self._check_missing(f"{what}, then a rerun", self.expected)

    def _check_missing(self, what: str, expected: dict[str, bytes]) -> None:
        self.losses += [f"{what}: {path} is missing" for path in missing(self.project.folder, self.stages, expected)]

    def _count_mended(self, said: str) -> None:
        self.mended += said.count("was cut short")

    def kill_alone(self, stage: Stage) -> None:
        """Kills a stage without DVC once or several times, and runs it again."""
        command = ["bash", "-c", stage.command]
        for _ in range(self.rng.randint(1, 3)):
            remove_outs(self.project.folder, stage)
            process = subprocess.Popen(
                command, cwd=self.project.folder, env=self.project.environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(self.rng.uniform(0, 1.1 * self.seconds[stage]))
            if process.poll() is None:
                process.kill()
                process.wait()
                self._count("alone: stage", f"{stage.name}: killed by itself")
        started = time.monotonic()
        self.project.run(stage.command, timeout_s=PATIENCE_S)
        self.seconds[stage] = time.monotonic() - started
        what = f"{stage.name}: killed and run again"
        self.check_left(what)
        self._check_missing(what, subset(self.expected, stage))

    def kill_stage(self, stage: Stage) -> None:
        """Kills a stage that is forced to run, then some of the reruns, and reruns."""
        moment = self.rng.choices(list(MOMENTS), list(MOMENTS.values()))[0]
        victim = self.rng.choice(VICTIMS) if moment == "stage runs" else "dvc"
        cache = [] if self.rng.random() > FORGETFUL else ["--no-run-cache"]
        command = ["dvc", "repro", "--force", "--single-item", *cache, stage.name]
        what = f"{stage.name}: {victim} killed while {moment}"
        if self.run_killed(command, lambda running: self._kill_stage(running, stage, moment, victim)):
            self._count(f"{moment}: {victim}", what)
        while self.rng.random() < DISTURBED:
            self.kill_rerun(what, RERUN_S, cache)
        self.recover(what, *cache)

    def kill_rerun(self, what: str, worked_s: float, options: list[str]) -> bool:
        """Kills a rerun of everything; says whether it was still going on."""
        self._count_mended(self.project.run(MEND))
        victim = self.rng.choice(("dvc", "both"))
        killed = self.run_killed(["dvc", "repro", *options], lambda running: self._kill_dvc(running, worked_s, victim))
        if killed:
            self._count(f"rerun: {victim}", f"{what}, then the rerun killed")
        return killed

    def kill_first_run(self) -> None:
        """Kills the very first dvc repro several times, each of which goes on where the one before was killed."""
        for count in range(FIRST_RUN_KILLS):
            if not self.kill_rerun(f"first run, kill {count}", FIRST_RUN_S / FIRST_RUN_KILLS * 2, []):
                break
        self.recover("first run")

    def _count(self, kind: str, what: str) -> None:
        """Notes a kill and looks at what it left."""
        self.kills[kind] += 1
        print(f"{self.kills.total():4} {what}", flush=True)
        self.check_left(what)


def _work(process: psutil.Process, seconds: float) -> None:
    """Returns when the process has used so much more CPU time, or has ended."""
    try:
        goal = sum(process.cpu_times()[:2]) + seconds
        while process.status() != psutil.STATUS_ZOMBIE and sum(process.cpu_times()[:2]) < goal:
            time.sleep(0.01)
    except psutil.NoSuchProcess:
        return


def _stage_process(running: "subprocess.Popen[bytes]", stage: Stage) -> psutil.Process | None:
    """The stage's process as soon as there is one; None when DVC ends without."""
    dvc = psutil.Process(running.pid)
    while running.poll() is None:
        try:
            for child in dvc.children(recursive=True):
                if stage.module in child.cmdline():
                    return child
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.01)
    return None


def _killed(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def _all_gone(session: int) -> bool:
    """Whether no process of the session is left within GONE_S."""
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline:
        listed = subprocess.run(["ps", "-o", "stat=", "-s", str(session)], capture_output=True, text=True, check=False).stdout
        if all(state.startswith("Z") for state in listed.split()):
            return True
        time.sleep(0.05)
    return False


def campaign(folder: Path, kills: int, seed: int, only: list[str]) -> Trial:
    """Kills until so many have met somebody; says what it does."""
    calm = make_tiny(folder / "calm")
    calm.run("dvc repro", timeout_s=PATIENCE_S)
    stages = stages_of(calm.folder)
    trial = Trial(make_tiny(folder / "killed"), stages, contents(calm.folder, stages), Random(seed))
    chosen = [stage for stage in stages if stage.name in only or not only]
    trial.kill_first_run()
    while trial.kills.total() < kills:
        known = len(trial.losses)
        stage = trial.rng.choice(chosen)
        trial.kill_alone(stage) if trial.rng.random() < ALONE else trial.kill_stage(stage)
        for loss in trial.losses[known:]:
            print(f"LOSS {loss}", flush=True)
    if said := trial.project.repro():
        trial.losses.append(f"nothing changed, and these ran: {said}")
    return trial


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", nargs="*", default=[], help="stages by name, such as track@plaza")
    args = options.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        trial = campaign(Path(name), args.kills, args.seed, args.only)
    for what, count in sorted(trial.kills.items()):
        print(f"{what:20} {count:5}")
    for loss in trial.losses:
        print(f"LOSS {loss}")
    print(f"all: {trial.kills.total()} kills, {trial.mended} files of DVC mended, {len(trial.losses)} losses, "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    return 1 if trial.losses else 0


if __name__ == "__main__":
    sys.exit(main())
