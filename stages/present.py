"""Everything that is known of one sequence to its three pages: video and timeline, people, decisions and mistakes."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts import read_json, write_text, writing_folder
from stages.camera import read_camera
from stages.command import execute, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.decisions import NOBODY, Decision, owners, read_decisions
from stages.errors import DataError
from stages.params import load_value
from stages.pins import check_pins
from stages.reporting.audit_cards import cause_rows, decision_kinds, mistake_cards
from stages.reporting.charts import Chart
from stages.reporting.crowd import crowd_chart
from stages.reporting.levels import BETTER, level_rows, shown_columns
from stages.reporting.media import Media, read_media
from stages.reporting.page import render
from stages.reporting.people import Person, read_people
from stages.reporting.places import ground_chart, presence_chart, way_chart
from stages.reporting.timeline import Moment, timeline_charts
from stages.reporting.words import clock, plural
from stages.scoring.levels import LEVELS, load_levels
from stages.scoring.mistakes import Mistake, read_mistakes

ROOT = "../../"  # from reports/sequences/<name>/ to reports/


def moments_of(decisions: list[Decision], mistakes: list[Mistake]) -> list[Moment]:
    """What the timeline marks: each decision on the tracks of its sides, each ID switch on the track that goes on."""
    marks = [
        Moment(decision.kind, track, decision.frame_number, f"{decision.tracklet_ids[0]} and {decision.tracklet_ids[1]}")
        for decision in decisions
        for track in sorted({track for pair in decision.pairs for track in pair.tracks if track != NOBODY})
    ]
    switches = [mistake for mistake in mistakes if mistake.switch]
    return marks + [Moment("ID switch", m.tracklet_id, m.frame_number, f"{m.cause}") for m in switches]


def pieces_of(tracks: Tracklets, split: Tracklets) -> dict[int, int]:
    """Final track -> number of tracklets that it was joined from."""
    final = np.append(owners(tracks), NOBODY)
    claimed = final[np.minimum(split.detection_indices, len(final) - 1)]
    pairs = np.unique(np.stack([claimed, split.tracklet_ids], axis=1)[claimed != NOBODY], axis=0)
    return {int(track): int(count) for track, count in zip(*np.unique(pairs[:, 0], return_counts=True), strict=True)}


def tabs(name: str, current: str) -> list[tuple[str, str, bool]]:
    """Links of a sequence's pages."""
    pages = (("Overview", f"{ROOT}index.html"), ("Video", "index.html"), ("People", "identities.html"), ("Audit", "audit.html"))
    return [(label, link, label == current) for label, link in pages]


def sequence_page(
    name: str, detections: Detections, levels: Mapping[str, Tracklets], figures: Mapping[str, Mapping[str, Any]],
    names: Mapping[int, int], people: list[Person], moments: list[Moment], places: list[Chart], media: Media, moving: bool,
    high_confidence: float,
) -> str:  # fmt: skip
    """Video, timeline, places, counts and figures."""
    tracks = levels["final"]
    timelines, left_out = timeline_charts(tracks, levels["split"], names, moments)
    rows = level_rows(figures)
    seconds = clock(tracks.num_frames / tracks.fps)
    lead = (
        f"{plural(len(tracks.ids), 'person', 'people')} in {plural(tracks.num_frames, 'frame')}: {seconds} at {tracks.fps:g} "
        f"frames a second, {tracks.width_px} × {tracks.height_px} px."  # noqa: RUF001
    )
    return render("sequence", ROOT, name=name, tabs=tabs(name, "Video"), lead=lead, fps=tracks.fps, second=round(tracks.fps),
                  width=tracks.width_px, height=tracks.height_px, video=f"{ROOT}../artifacts/{name}/annotated.mp4",
                  media=f"{ROOT}media/{name}/", filmed=media.filmed, timelines=timelines, left_out=left_out, people=people,
                  places=places, crowd=crowd_chart(detections, tracks, high_confidence), levels=rows,
                  columns=shown_columns(rows), better=BETTER, scored="HOTA" in figures["final"], moving=moving)  # fmt: skip


def audit_page(
    name: str, decisions: list[Decision], mistakes: list[Mistake], diagnosis: Mapping[str, Any], names: Mapping[int, int],
    media: Media,
) -> str:  # fmt: skip
    """Decisions and mistakes."""
    folder = f"{ROOT}media/{name}/"
    kinds = decision_kinds(decisions, diagnosis["verdicts"], names, media, folder)
    scored = bool(diagnosis["ground_truth"])
    wrong = sum(verdict is False for verdict in diagnosis["verdicts"].values())
    switches = sum(mistake.switch for mistake in mistakes)
    lead = ", ".join(plural(kind.count, kind.title[:-1].lower()) for kind in kinds) + ". "
    if scored:
        lead += (
            f"By the ground truth {plural(wrong, 'decision was', 'decisions were')} wrong; the final tracks have "
            f"{plural(switches, 'ID switch', 'ID switches')} and "
            f"{plural(sum(mistake.fragmentation for mistake in mistakes), 'fragmentation')}."
        )
    anchors = [{"anchor": "mistakes", "title": "Mistakes", "count": len(mistakes)}] if scored else []
    return render("audit", ROOT, name=name, tabs=tabs(name, "Audit"), lead=lead, kinds=[*anchors, *kinds], decisions=kinds,
                  filmed=media.filmed, scored=scored, causes=cause_rows(mistakes), mistake_count=len(mistakes),
                  mistakes=mistake_cards(mistakes, names, media, folder))  # fmt: skip


def present(args: Namespace, high_confidence: float, moving: bool) -> tuple[dict[str, str], int]:
    """The pages by file name, and the number of people."""
    name, levels = args.sequence, load_levels(args)
    tracks = levels["final"]
    detections, identities = Detections.load(args.detections, name), Identities.load(args.identities)
    media, diagnosis = read_media(args.media), read_json(args.diagnosis)
    names = dict(zip(tracks.ids.tolist(), identities.identities_of(name, tracks.ids).tolist(), strict=True))
    people = read_people(args.people, media, f"{ROOT}media/{name}/", pieces_of(tracks, levels["split"]))
    decisions, mistakes = read_decisions(args.rewires, args.splits, args.merges, levels), read_mistakes(args.mistakes)
    camera = read_camera(args.camera)
    picture = f"{ROOT}media/{name}/background.jpg" if "background" in media.pictures else None
    places = [way_chart(tracks, names, picture), presence_chart(tracks, picture)]
    places += [ground_chart(tracks, names, camera)] if camera is not None else []
    figures = level_figures(read_json(args.scores), read_json(args.quality), str(args.scores))
    moments = moments_of(decisions, mistakes)
    return {
        "index.html": sequence_page(name, detections, levels, figures, names, people, moments, places, media, moving,
                                    high_confidence),
        "identities.html": render("identities", ROOT, name=name, tabs=tabs(name, "People"), people=people, filmed=media.filmed,
                                  unpictured=sum(person.picture is None for person in people)),
        "audit.html": audit_page(name, decisions, mistakes, diagnosis, names, media),
    }, len(people)  # fmt: skip


def level_figures(scores: Any, quality: Any, place: str) -> dict[str, dict[str, Any]]:
    """Level -> figures with and without ground truth. Raises DataError where the files hold anything else."""
    try:
        return {
            level: {
                **(scores["levels"][level]["figures"] if scores["ground_truth"] else {}),
                "tracklets": quality["levels"][level]["tracklets"],
                "tracked": round(100 * quality["levels"][level]["share_of_detections_tracked"], 2),
            }
            for level in LEVELS
        }
    except (KeyError, TypeError) as error:
        raise DataError(f"{place}: expected the scores and the quality of a sequence, got: {error!r}") from error


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "detections", "raw", "rewired", "split", "merged", "final", "identities",
                         "camera", "rewires", "splits", "merges", "mistakes", "diagnosis", "people", "scores", "quality",
                         "media", "pages", "timings")  # fmt: skip
    check_pins(args.pins)
    high_confidence = load_value(float, "analyze.high_confidence")
    moving = load_value(str, f"sequences.{args.sequence}.camera_motion") != "none"
    with stage_run("present", args.sequence, args.timings) as run:
        with run.computing():
            pages, people = present(args, high_confidence, moving)
        run.counts = {"pages": len(pages), "people": people, "bytes": sum(len(page.encode()) for page in pages.values())}
        with writing_folder(Path(args.pages)) as folder:
            for file, page in pages.items():
                write_text(folder / file, page)


if __name__ == "__main__":
    execute(main)
