"""The figures of the last result and where its report lies: what the pipeline ends with, for when nothing ran.

python -m stages.show        # or: make results
"""

import sys
from pathlib import Path

from stages.command import execute, parser
from stages.figures import read_figures
from stages.scoring.closing import closing

REPORTS = Path("reports")  # as dvc.yaml has it


def main() -> None:
    parser(__doc__).parse_args()
    metrics, per_sequence = (read_figures(REPORTS / f"{name}.json") for name in ("metrics", "sequences"))
    sys.stdout.write(closing(metrics, per_sequence, REPORTS) + "\n")


if __name__ == "__main__":
    execute(main)
