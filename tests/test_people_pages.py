"""Who counts as one person on the pages: an identity, however many tracks it has and whatever it is called."""

from pathlib import Path

import numpy as np
import pytest

from stages.contracts.identities import Identities
from stages.errors import DataError
from stages.lineage import Piece
from stages.report import ALL, count_people
from stages.reporting.media import Media
from stages.reporting.people import read_people
from stages.reporting.returns import return_cards
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


KNOWN = (
    "tracklet_id,identity_id,name,other_sequence,other_tracklet_id,log_odds,looks_distance,looks_nats,places_nats,shared_s,"
    "apart_m,margin_nats,runner_up\n"
    "1,3,Ann,east,9,4.0,0.03,4,0,0,,4.0,0\n2,5,,,,,,,,,,,\n4,3,Ann,hall,1,2.0,0.11,2,0,0,,1.0,5\n"
)


def test_who_was_known_again_is_a_card_with_both_tracks_and_what_spoke_for_it(tmp_path: Path) -> None:
    """The lead over person 5 is 1 nat, so the chance that it was 5 is 1 / (1 + e)."""
    (tmp_path / "people.csv").write_text(HEADER + ROWS)
    (tmp_path / "identities.csv").write_text(KNOWN)
    people = read_people(tmp_path / "people.csv", MEDIA, "media/", {})
    (card,) = return_cards(people, tmp_path / "identities.csv", "hall")
    assert (card.title, card.name) == ("Ann returned: track 1, then 4", "return-4")
    assert card.facts[:3] == [("away for (s)", "5.5"), ("known by", "track 1"), ("runner-up", "person 5")]
    assert ("distance of looks", "0.11") in card.facts
    assert card.doubt == pytest.approx(0.2689, abs=1e-4)
    assert [stay.track for stay in card.stays] == [1, 4]


def test_who_was_known_by_another_camera_says_so_and_a_table_without_the_track_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(HEADER + ROWS)
    table = tmp_path / "identities.csv"
    people = read_people(tmp_path / "people.csv", MEDIA, "media/", {})
    table.write_text(KNOWN.replace("4,3,Ann,hall,1,", "4,3,Ann,east,9,"))
    assert ("known by", "track 9 of east") in return_cards(people, table, "hall")[0].facts
    table.write_text(KNOWN.replace("\n4,", "\n7,"))
    with pytest.raises(DataError, match=r"identities.csv: expected a row for each track, found none for 4"):
        return_cards(people, table, "hall")


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
