"""Everything that is known of one sequence to its three pages: video and timeline, people, decisions and mistakes."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.artifacts import read_json, write_text, writing_folder
from stages.camera import Homography, read_camera
from stages.command import execute, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.decisions import Decision, read_decisions
from stages.errors import DataError
from stages.lineage import NOBODY, Piece, pieces_of
from stages.params import load_value
from stages.pins import check_pins
from stages.reporting.audit_cards import MAX_CARDS, cause_rows, decision_kinds, found_text, mistake_cards
from stages.reporting.crowd import crowd_chart
from stages.reporting.levels import BETTER, level_rows, shown_columns
from stages.reporting.media import Media, read_media
from stages.reporting.page import render
from stages.reporting.people import Person, read_people
from stages.reporting.places import ground_chart, presence_chart, way_chart
from stages.reporting.returns import ReturnCard, return_cards
from stages.reporting.timeline import KEY, Lane, Moment, make_lanes, timeline_charts
from stages.reporting.words import called, clock, plural
from stages.scoring.levels import LEVELS, load_levels
from stages.scoring.mistakes import Mistake, read_mistakes

ROOT = "../../"  # from reports/sequences/<name>/ to reports/
MAX_ROWS = 240  # of the table of people below the timeline


@dataclass(frozen=True, eq=False)
class Story:
    """Everything that is known of one sequence."""

    name: str
    detections: Detections
    tracks: Tracklets
    identities: Mapping[int, int]  # of the tracks
    names: Mapping[int, str]  # of the tracks, as the pages call them
    pieces: Mapping[int, list[Piece]]  # split tracklets that the tracks were joined from
    people: list[Person]
    decisions: list[Decision]
    returns: list[ReturnCard]
    mistakes: list[Mistake]
    diagnosis: Mapping[str, Any]
    figures: Mapping[str, Mapping[str, Any]]  # level -> name -> figure
    image_to_ground: Homography | None
    media: Media
    camera_moves: bool
    high_confidence: float

    @property
    def folder(self) -> str:
        """Where the pages find the sequence's pictures."""
        return f"{ROOT}media/{self.name}/"


def read_story(args: Namespace, camera_moves: bool, high_confidence: float) -> Story:
    """What the stages before left of the sequence."""
    name, levels, media = args.sequence, load_levels(args), read_media(args.media)
    tracks, pieces = levels["final"], pieces_of(levels["final"], levels["split"])
    identities = Identities.load(args.identities)
    rows = identities.rows_of(name, tracks.ids)
    numbers, given = identities.identity_ids[rows].tolist(), identities.names[rows].tolist()
    people = read_people(args.people, media, f"{ROOT}media/{name}/", pieces)
    return Story(
        name,
        Detections.load(args.detections, name),
        tracks,
        dict(zip(tracks.ids.tolist(), numbers, strict=True)),
        dict(zip(tracks.ids.tolist(), map(called, numbers, given), strict=True)),
        pieces,
        people,
        read_decisions(args.rewires, args.splits, args.merges, levels),
        return_cards(people, args.known, name),
        read_mistakes(args.mistakes),
        read_json(args.diagnosis),
        level_figures(read_json(args.scores), read_json(args.quality), str(args.scores)),
        read_camera(args.camera),
        media,
        camera_moves,
        high_confidence,
    )


def pages(story: Story) -> dict[str, str]:
    """The pages by file name."""
    return {"index.html": sequence_page(story), "identities.html": people_page(story), "audit.html": audit_page(story)}


def sequence_page(story: Story) -> str:
    """Video, timeline, places, counts and figures."""
    tracks, identities, names = story.tracks, story.identities, story.names
    lanes = make_lanes(tracks, identities, names)
    timelines, left_out = timeline_charts(tracks, lanes, story.pieces, [*moments_of(story), *returns_of(tracks, lanes)])
    picture = f"{story.folder}background.jpg" if "background" in story.media.pictures else None
    places = [way_chart(tracks, identities, names, picture), presence_chart(tracks, picture)]
    places += [ground_chart(tracks, identities, names, story.image_to_ground)] if story.image_to_ground is not None else []
    levels = level_rows(story.figures)
    lead = (
        f"{plural(len(lanes), 'person', 'people')} in {plural(tracks.num_frames, 'frame')}: "
        f"{clock(tracks.num_frames / tracks.fps)} at {tracks.fps:g} frames a second, "
        f"{tracks.width_px} × {tracks.height_px} px."  # noqa: RUF001
    )
    return render("sequence", ROOT, story=story, tabs=tabs("Video"), lead=lead, second=max(1, round(tracks.fps)),
                  video=f"{ROOT}../artifacts/{story.name}/annotated.mp4", timelines=timelines, left_out=left_out,
                  people=longest(story.people), places=places,
                  crowd=crowd_chart(story.detections, tracks, story.high_confidence), levels=levels,
                  columns=shown_columns(levels), better=BETTER, scored="HOTA" in story.figures["final"], key=KEY)  # fmt: skip


def people_page(story: Story) -> str:
    """Contact sheets."""
    unpictured = sum(all(stay.picture is None for stay in person.stays) for person in story.people)
    return render("identities", ROOT, story=story, tabs=tabs("People"), unpictured=unpictured)


def audit_page(story: Story) -> str:
    """Decisions and mistakes."""
    media, mistakes, verdicts = story.media, story.mistakes, story.diagnosis["verdicts"]
    kinds = decision_kinds(story.decisions, verdicts, story.names, media, story.folder)
    scored = bool(story.diagnosis["ground_truth"])
    counts = [(kind.count, kind.title[:-1].lower()) for kind in kinds] + [(len(story.returns), "return")]
    lead = ", ".join(plural(count, noun) for count, noun in counts) + "."
    found: Mapping[str, int] = story.diagnosis["found_people"]
    if scored:
        never = plural(found["never"], "person", "people")
        wrong = sum(verdict is False for verdict in verdicts.values())
        switches, fragmentations = (sum(getattr(m, kind) for m in mistakes) for kind in ("switch", "fragmentation"))
        lead += (
            f" By the ground truth {plural(wrong, 'decision was', 'decisions were')} wrong; the final tracks have "
            f"{plural(switches, 'ID switch', 'ID switches')} and {plural(fragmentations, 'fragmentation')}, and {never} of "
            f"{sum(found.values()):,} {'is' if found['never'] == 1 else 'are'} never found."
        )
    links: list[Any] = [{"anchor": "mistakes", "title": "Breaks", "count": len(mistakes)}] if scored else []
    links += [*kinds, {"anchor": "returns", "title": "Returns", "count": len(story.returns)}]
    breaks = mistake_cards(mistakes, story.names, media, story.folder)
    drawn = [card.picture for kind in kinds for card in kind.cards if media.filmed] + [card.picture for card in breaks]
    return render("audit", ROOT, story=story, tabs=tabs("Audit"), lead=lead, kinds=links, decisions=kinds,
                  returns=story.returns[:MAX_CARDS], scored=scored, causes=cause_rows(mistakes),
                  found=found_text(found, mistakes) if scored else None, mistakes=breaks,
                  unpictured=sum(picture is None for picture in drawn))  # fmt: skip


def moments_of(story: Story) -> list[Moment]:
    """What the timeline marks: each decision on the tracks of its sides, each ID switch on the track that goes on."""
    marks = [
        Moment(decision.name, decision.kind, track, decision.frame_number, " and ".join(map(str, decision.tracklet_ids)))
        for decision in story.decisions
        for track in sorted({track for pair in decision.pairs for track in pair.tracks if track != NOBODY})
    ]
    return marks + [
        Moment(f"mistake-{number}", "ID switch", mistake.tracklet_id, mistake.frame_number, mistake.cause)
        for number, mistake in enumerate(story.mistakes)
        if mistake.switch
    ]


def returns_of(tracks: Tracklets, lanes: Sequence[Lane]) -> list[Moment]:
    """A mark where `identify` knew somebody again: the first frame of each further track of a lane."""
    first_frames = dict(zip(tracks.ids.tolist(), tracks.frame_numbers[tracks.offsets()[:-1]].tolist(), strict=True))
    return [
        Moment(f"return-{track}", "return", track, first_frames[track], f"known again as track {track}")
        for lane in lanes
        for track in lane.tracks[1:]
    ]


def longest(people: list[Person]) -> list[Person]:
    """At most MAX_ROWS people, those with most boxes, in the order given."""
    kept = {person.identity for person in sorted(people, key=lambda person: -person.boxes)[:MAX_ROWS]}
    return [person for person in people if person.identity in kept]


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """Links of a sequence's pages."""
    links = (("Overview", f"{ROOT}index.html"), ("Video", "index.html"), ("People", "identities.html"), ("Audit", "audit.html"))
    return [(label, link, label == current) for label, link in links]


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
                         "known", "camera", "rewires", "splits", "merges", "mistakes", "diagnosis", "people", "scores",
                         "quality", "media", "pages", "timings")  # fmt: skip
    check_pins(args.pins)
    high_confidence = load_value(float, "analyze.high_confidence")
    camera_moves = load_value(str, f"sequences.{args.sequence}.camera_motion") != "none"
    with stage_run("present", args.sequence, args.timings) as run:
        story = read_story(args, camera_moves, high_confidence)
        with run.computing():
            made = pages(story)
        run.counts = {
            "pages": len(made),
            "people": len(story.people),
            "bytes": sum(len(page.encode()) for page in made.values()),
        }
        with writing_folder(args.pages) as folder:
            for file, page in made.items():
                write_text(folder / file, page)


if __name__ == "__main__":
    execute(main)
