"""What was not finished: whatever byte dvc.lock ends at, DVC reads it again, and loses one stage at most; half files go."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages import mend_lock
from stages.command import execute
from stages.mend_lock import is_whole

DEP = "    - path: stages/{name}.py\n      hash: md5\n      md5: 11112222333344445555666677778888\n      size: 1234\n"
ENTRY = "  {name}@plaza:\n    cmd: exec python -m\n      stages.{name}\n    deps:\n" + DEP
WHOLE = "schema: '2.0'\nstages:\n" + "".join(ENTRY.format(name=name) for name in ("detect", "track", "merge"))
HALF = WHOLE[: WHOLE.rindex("sh: md5")]


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """dvc.lock of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mend_lock"])
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    return tmp_path / "dvc.lock"


def entries(text: str) -> list[str]:
    return list(yaml.safe_load(text)["stages"])


def test_wherever_it_is_cut_dvc_reads_what_is_left(lock: Path) -> None:
    for end in range(0, len(WHOLE), 3):
        cut = WHOLE[:end]
        lock.write_text(cut)
        mend_lock.main()
        if is_whole(cut):
            assert lock.read_text() == cut
        elif lock.exists():
            assert is_whole(lock.read_text())
            assert cut.startswith(lock.read_text())
            assert len(entries(lock.read_text())) == cut.count("@plaza:") - 1
        else:
            assert cut.count("@plaza:") <= 1


def test_a_whole_one_and_none_are_left_alone(lock: Path) -> None:
    mend_lock.main()
    assert not lock.exists()
    lock.write_text(WHOLE)
    mend_lock.main()
    assert lock.read_text() == WHOLE


def test_another_damage_is_one_line_and_nothing_is_cut(lock: Path) -> None:
    damaged = WHOLE.replace("  track@plaza:", "<<<<<<< ours\n  track@plaza:")
    lock.write_text(damaged)
    with pytest.raises(SystemExit, match=r"error: dvc\.lock: expected a file that was cut short, got another damage"):
        execute(mend_lock.main)
    assert lock.read_text() == damaged


def test_a_file_that_dvc_is_writing_is_not_touched(lock: Path) -> None:
    lock.write_text(HALF)
    with open(".dvc/tmp/lock", "w") as at_work:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="expected no DVC at work"):
            execute(mend_lock.main)
    assert lock.read_text() == HALF


def test_a_torn_list_of_readers_and_writers_goes_and_a_whole_one_stays(lock: Path) -> None:
    users = lock.parent / ".dvc/tmp/rwlock"
    whole = '{"read": {}, "write": {"/a/b": {"pid": 7, "cmd": "dvc repro"}}}'
    users.write_text(whole)
    mend_lock.main()
    assert users.read_text() == whole
    for torn in (whole[:-9], ""):
        users.write_text(torn)
        mend_lock.main()
        assert not users.exists()
    users.write_text(whole[:-9])
    with open(".dvc/tmp/rwlock.lock", "w") as at_work:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="expected no DVC at work"):
            execute(mend_lock.main)
    assert users.read_text() == whole[:-9]


def test_what_dead_stages_were_writing_goes_wherever_stages_write(lock: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    still = "{}/.hall.{}.tmp/frame_000007.jpg"
    for place in ("artifacts/stills", "reports/media", "data/sequences", "mlartifacts/7/artifacts/stills"):
        for process in (dead.pid, os.getpid()):
            path = Path(still.format(place, process))
            path.parent.mkdir(parents=True)
            path.write_text("picture")
    mend_lock.main()
    left = sorted(path.parent.name for path in Path().rglob("*.jpg"))
    assert left == 4 * [f".hall.{os.getpid()}.tmp"], "what a living process writes stays"
