"""Tracks that people corrected in another tool to the ground truth of a sequence: MOTChallenge or CVAT in, gt/gt.txt out.

    python -m stages.export street --format cvat --out street.xml     # correct it in CVAT, export as CVAT for video 1.1
    python -m stages.import_truth street annotations.xml              # then: dvc repro, which scores against it

Frames are counted as in the source, so a corrected clip is truth for that clip.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages.artifacts import exclusive, write_text, writing_folder
from stages.command import execute, log, parser
from stages.errors import DataError
from stages.exchange.cvat_reader import GT_COLUMNS, read_cvat
from stages.motchallenge import MotRows, format_rows, read_rows
from stages.params import check_sequence, read_params
from stages.scoring.truth import make_truth
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.versioning import SEQUENCES, is_dvc_project, track

PEDESTRIAN = 1  # of MOT17's classes


def read_corrected(path: Path, info: SequenceInfo, label: str) -> MotRows:
    """The rows of a ground truth of this sequence in a CVAT file (.xml) or a MOTChallenge file.

    Nine columns are taken as they are; of a result, every row counts as a pedestrian. Raises DataError naming file and row.
    """
    rows = _of_cvat(path, info, label) if path.suffix.lower() == ".xml" else _of_mot(path)
    if not len(rows):
        raise DataError(f"{path}: expected boxes, found none")
    make_truth(path, rows, info.num_frames)
    return rows


def _of_mot(path: Path) -> MotRows:
    rows = read_rows(path)
    if rows.num_columns == GT_COLUMNS and (rows.class_ids >= 1).all():
        return rows
    counts = np.ones(len(rows), dtype=np.float32)
    classes = np.full(len(rows), PEDESTRIAN, dtype=np.int32)
    return replace(rows, scores=counts, class_ids=classes, visibilities=counts, num_columns=GT_COLUMNS)


def _of_cvat(path: Path, info: SequenceInfo, label: str) -> MotRows:
    file = read_cvat(path, info.num_frames)
    if file.size_px not in (None, (info.width_px, info.height_px)):
        raise DataError(f"{path}: expected pictures of {info.width_px} x {info.height_px} px, got {file.size_px}")
    if label not in file.labels:
        raise DataError(f"{path}: expected tracks labelled {label} (--label), got {', '.join(file.labels) or 'no tracks'}")
    for other in sorted(set(file.labels) - {label}):
        log.info("import_truth: %d boxes labelled %s are left out", len(file.labels[other]), other)
    return file.labels[label]


def format_truth(rows: MotRows) -> str:
    """The nine columns of MOT17's gt.txt, pixels with three decimals."""
    columns = zip(rows.scores.tolist(), rows.class_ids.tolist(), rows.visibilities.tolist(), strict=True)
    tails = [f"{score:g},{class_id},{visibility:g}" for score, class_id, visibility in columns]
    return format_rows(rows.frame_numbers, rows.ids, rows.bboxes, tails, decimals=3)


def replace_truth(sequence: str, text: str) -> None:
    """Makes the text the ground truth of a sequence, tracked by DVC as before; when that fails, all is as it was.

    Raises DataError for a sample camera, whose ground truth is made with its pictures.
    """
    if sequence in (read_params().get("cameras") or {}):
        raise DataError(f"{sequence}: expected a sequence that was added, got a sample camera (write elsewhere with --out)")
    folder = SEQUENCES / sequence
    with _restoring(folder / "gt"):
        with writing_folder(folder / "gt") as temporary:
            write_text(temporary / "gt.txt", text)
        if is_dvc_project():
            track(folder)


@contextmanager
def _restoring(folder: Path) -> Iterator[None]:
    """Puts the folder's files back when the block fails."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    try:
        yield
    except BaseException:
        with writing_folder(folder) as temporary:
            for name, content in before.items():
                (temporary / name).write_bytes(content)
        raise


def main() -> None:
    options = parser(__doc__)
    options.add_argument("sequence", help="one of params.yaml's")
    options.add_argument("file", type=Path, help="CVAT for video 1.1 (.xml), or MOTChallenge (.txt)")
    options.add_argument("--label", default="person", help="cvat: the label of people; default: person")
    options.add_argument("--out", type=Path, help="write a gt.txt here and leave the sequence as it is")
    args: argparse.Namespace = options.parse_args()
    check_sequence(args.sequence)
    with exclusive("sequences"):
        info = read_seqinfo(SEQUENCES / args.sequence / "seqinfo.ini")
        if info.variable_rate:
            log.info("import_truth %s: the video's rate varies: frames are taken for those of it at %g frames/s", args.sequence,
                     info.fps)  # fmt: skip
        rows = read_corrected(args.file, info, args.label)
        if args.out:
            write_text(args.out, format_truth(rows))
        else:
            replace_truth(args.sequence, format_truth(rows))
    frames = len(np.unique(rows.frame_numbers))
    log.info("import_truth %s: %s people, %s boxes in %s of %s frames, nobody in the others: %s%s", args.sequence,
             f"{len(np.unique(rows.ids)):,}", f"{len(rows):,}", f"{frames:,}", f"{info.num_frames:,}",
             args.out or SEQUENCES / args.sequence / "gt/gt.txt", "" if args.out else "; next: dvc repro")  # fmt: skip


if __name__ == "__main__":
    execute(main)
