"""Who counts as one person on the pages: an identity, however many tracks it has and whatever it is called."""

from pathlib import Path

import numpy as np

from stages.contracts.identities import Identities
from stages.lineage import Piece
from stages.report import ALL, count_people
from stages.reporting.media import Media
from stages.reporting.people import read_people
from stages.reporting.shared import people_across

HEADER = "tracklet_id,identity_id,name,class_id,first_seen_s,last_seen_s,visible_s,distance,unit,boxes\n"
ROWS = "1,3,Ann,0,0.0,1.5,1.6,2.0,m,16\n2,5,,0,1.0,9.0,8.1,4.5,m,81\n4,3,Ann,0,7.0,8.0,1.1,0.5,m,11\n"
MEDIA = Media(True, 10.0, {"person-1": (80, 160), "person-4": (80, 160), "where-4": (160, 90)}, {})


def identities(sequence: str, tracks: list[int], numbers: list[int], names: list[str]) -> Identities:
    return Identities(np.array([sequence] * len(tracks)), np.array(tracks, np.int32), np.array(numbers, np.int32),
                      np.array(names), np.zeros(len(tracks), np.float32))  # fmt: skip


def test_the_tracks_of_a_person_are_stays_on_one_card(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(HEADER + ROWS)
    pieces = {1: [Piece(1, 0, 7), Piece(2, 8, 15)], 4: [Piece(4, 70, 80)]}
    ann, other = read_people(tmp_path / "people.csv", MEDIA, "media/", pieces)
    assert (ann.called, ann.identity, [stay.track for stay in ann.stays]) == ("Ann", 3, [1, 4])
    assert (ann.first_frame, ann.last_frame, ann.boxes, ann.pieces) == (0, 80, 27, 3)
    assert (round(ann.visible_s, 3), ann.distance) == (2.7, 2.5)
    assert [stay.picture.path if stay.picture else None for stay in ann.stays] == ["media/person-1.jpg", "media/person-4.jpg"]
    assert ann.stays[1].picture is not None
    assert ann.stays[1].picture.alt == "Views of Ann at the moments below"
    assert (other.called, other.last_s, len(other.stays)) == ("person 5", 9.0, 1)


def test_people_are_counted_once_over_the_cameras_of_a_group() -> None:
    """Number 1 of another group is somebody else."""
    tables = {
        "west": identities("west", [1, 2, 3], [1, 2, 1], [""] * 3),
        "east": identities("east", [1, 2], [1, 4], [""] * 2),
        "yard": identities("yard", [1], [1], [""]),
    }
    groups = {"west": "corner", "east": "corner", "yard": "yard"}
    assert count_people(tables, groups) == {"west": 2, "east": 2, "yard": 1, ALL: 4}


def test_who_is_shared_is_called_by_name() -> None:
    tables = {"west": identities("west", [1], [6], ["Ann"]), "east": identities("east", [2], [6], ["Ann"])}
    (ann,) = people_across(tables, {"west": "corner", "east": "corner"}, {"west": MEDIA, "east": MEDIA})
    assert (ann.called, ann.identity, [(view.sequence, view.track) for view in ann.views]) == (
        "Ann", 6, [("west", 1), ("east", 2)])  # fmt: skip
