"""What one reads off the annotated video to a row of data/corrections: people by number (or name) and frame, as `7@120`.

    python -m stages.correct street same 7@120 12@480      # one person
    python -m stages.correct street different 7@120 7@480  # two people under one number
    python -m stages.correct street cut 7@300              # from frame 300 on, 7 is somebody else than before
    python -m stages.correct street delete 9@40            # nobody
    python -m stages.correct street rename 7@120 --name Ann

The row names frame and box, so it outlives the numbers; `dvc repro` then reruns what depends on it.
"""

import argparse

from stages.command import execute, log, parser
from stages.corrections.adding import add_row
from stages.corrections.naming import NUM_PLACES, correction, load_seen
from stages.corrections.rows import corrections_file
from stages.errors import DataError
from stages.params import check_sequence


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.add_argument("sequence", help="a sequence of params.yaml")
    made.add_argument("action", choices=list(NUM_PLACES))
    made.add_argument(
        "people", nargs="+", metavar="WHO@FRAME", help="number or name, and frame, as the annotated video shows them"
    )
    made.add_argument("--name", help="of rename")
    return made


def main() -> None:
    args = options().parse_args()
    check_sequence(args.sequence)
    if args.action == "rename" and args.name is None:
        raise DataError("rename: expected --name, got none")
    seen = load_seen(args.sequence)
    row = correction(seen, args.action, [seen.row(who) for who in args.people], args.name)
    path = corrections_file(args.sequence)
    add_row(path, row, seen)
    log.info("added to %s: %s; next: dvc repro", path, ",".join(row.cells()))


if __name__ == "__main__":
    execute(main)
