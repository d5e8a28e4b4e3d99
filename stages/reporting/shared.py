"""People whom `identify` recognised in more than one sequence of a camera group."""

from collections.abc import Mapping
from dataclasses import dataclass

from stages.colors import css_color, identity_color
from stages.contracts.identities import Identities
from stages.reporting.media import Media, Picture
from stages.reporting.words import called


@dataclass(frozen=True)
class View:
    """One track of the person."""

    sequence: str
    track: int
    distance: float
    picture: Picture | None


@dataclass(frozen=True)
class SharedPerson:
    """One identity with tracks in several sequences."""

    group: str
    identity: int
    called: str
    color: str
    views: list[View]


def people_across(
    identities: Mapping[str, Identities], groups: Mapping[str, str], media: Mapping[str, Media]
) -> list[SharedPerson]:
    """The people seen in several sequences of a group, the surest first. `groups` are the camera groups of sequences."""
    tracks: dict[tuple[str, int, str], list[View]] = {}
    for sequence, table in identities.items():
        rows = (table.tracklet_ids.tolist(), table.identity_ids.tolist(), table.names.tolist(), table.distances.tolist())
        for track, identity, name, distance in zip(*rows, strict=True):
            who = called(identity, name)
            picture = media[sequence].picture(f"person-{track}", f"media/{sequence}/", f"Views of {who} in {sequence}")
            tracks.setdefault((groups[sequence], identity, who), []).append(View(sequence, track, distance, picture))
    shared = [
        SharedPerson(group, identity, who, css_color(identity_color(identity)), views)
        for (group, identity, who), views in tracks.items()
        if len({view.sequence for view in views}) > 1
    ]
    return sorted(shared, key=lambda person: (max(view.distance for view in person.views), person.group, person.identity))
