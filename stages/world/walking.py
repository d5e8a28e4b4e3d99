"""Who walks where: people with routes through the square who see each other and what stands in their way.

A social force model (Helbing and Molnar, Phys. Rev. E 51, 1995): everybody accelerates towards the own goal at the own speed
and away from others. Here the force acts on where two will be half a second later and turns a little to the right, so
that people step aside early and to the same side. Things are walked around along the tangent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.agenda import Agenda
from stages.world.body import step_lengths
from stages.world.neighbours import apart, close, norm, summed
from stages.world.place import Place

Array = NDArray[np.float64]

TICK_S = 0.1
WARM_UP_S = 4.0  # walked before the scene's time 0, so that nobody starts inside another
RELAXATION_S = 0.5
REPULSION = 3.0  # m/s^2 between two who touch
IN_SIGHT_M = 4.0  # others farther away do not matter
REACH_M = 0.4  # distance over which the repulsion falls to 1/e
SHOULDERS_M = 0.5  # distance of two who touch
LOOK_AHEAD_S = 0.5
ASIDE_RAD = 0.25  # that the repulsion turns to the right
BLINDNESS = 0.3  # share of the repulsion from people behind
MIN_DISTANCE_M = 0.42
MAX_ACCELERATION = 3.5  # m/s^2
MAX_SPEED_MPS = 2.1
ARRIVED_M = 0.7
SIDE_BY_SIDE_M = 0.68  # of a pair
TURN_RATE = 0.3  # share of the way to the new heading in a tick


@dataclass(frozen=True, eq=False)
class Moment:
    """The n people in the place at one time."""

    identity_ids: NDArray[np.int64]  # (n,) from 1
    points: Array  # (n, 2) m
    headings: Array  # (n,) radians from east, anticlockwise
    speeds: Array  # (n,) m/s
    phases: Array  # (n,) radians of the gait, two steps a turn


@dataclass(frozen=True, eq=False)
class Walk:
    """K ticks of N people."""

    present: NDArray[np.bool_]  # (K, N)
    points: Array  # (K, N, 2)
    facings: Array  # (K, N, 2) unit vectors
    phases: Array  # (K, N)

    def at(self, time_s: float) -> Moment:
        """Everybody who is there at this time of the scene, between two ticks on a straight line."""
        tick, share = divmod((time_s + WARM_UP_S) / TICK_S + 1e-9, 1)
        now, then = int(tick), int(tick) + 1
        who = np.flatnonzero(self.present[now] & self.present[then])
        step = self.points[then, who] - self.points[now, who]
        facings = (1 - share) * self.facings[now, who] + share * self.facings[then, who]
        return Moment(
            who + 1,
            self.points[now, who] + share * step,
            np.arctan2(facings[:, 1], facings[:, 0]),
            np.hypot(step[:, 0], step[:, 1]) / TICK_S,
            (1 - share) * self.phases[now, who] + share * self.phases[then, who],
        )


def walk(place: Place, agendas: list[Agenda], seconds: float) -> Walk:
    """Everybody's way through the square until this time of the scene."""
    ticks = int(np.ceil((seconds + WARM_UP_S) / TICK_S)) + 2
    crowd = Crowd(place, agendas)
    count = len(agendas)
    made = Walk(
        np.zeros((ticks, count), dtype=bool), np.zeros((ticks, count, 2)), np.zeros((ticks, count, 2)), np.zeros((ticks, count))
    )
    for tick in range(ticks):
        crowd.step(tick * TICK_S - WARM_UP_S)
        made.present[tick], made.points[tick] = crowd.present, crowd.points
        made.facings[tick], made.phases[tick] = crowd.facings, crowd.phases
    return made


class Crowd:
    """All people of a scene at one tick."""

    def __init__(self, place: Place, agendas: list[Agenda]) -> None:
        count = len(agendas)
        self.place, self.agendas = place, agendas
        self.circles = np.array([[thing.x, thing.y, thing.keep_out] for thing in place.things]).reshape(-1, 3)
        self.blocks = np.array([[b.x1, b.y1, b.x2, b.y2] for b in place.blocks])
        self.present, self.pausing_until = np.zeros(count, dtype=bool), np.full(count, -np.inf)
        self.points, self.velocities = np.zeros((count, 2)), np.zeros((count, 2))
        self.facings, self.phases = np.tile([1.0, 0.0], (count, 1)), np.zeros(count)
        self.goals = np.zeros((count, 2))
        self.stays, self.legs = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
        self.next_arrivals = np.array([agenda.arrival_s for agenda in agendas])
        self.leaders = np.array([agenda.leader for agenda in agendas], dtype=int)
        self.sides = np.array([agenda.side for agenda in agendas])
        self.wanted_speeds = np.array([agenda.speed_mps for agenda in agendas])
        self.heights = np.array([agenda.height_m for agenda in agendas])

    def step(self, time_s: float) -> None:
        """Lets whoever is due arrive or leave, and moves everybody by a tick."""
        for person in np.flatnonzero(~self.present & (self.next_arrivals <= time_s)):
            self._arrive(int(person))
        for person in np.flatnonzero(self.present & (self.leaders < 0)):
            if np.hypot(*(self.goals[person] - self.points[person])) < ARRIVED_M and time_s >= self.pausing_until[person]:
                self._reach(int(person), time_s)
        who = np.flatnonzero(self.present)
        if len(who):
            self._move(who, time_s)

    def _arrive(self, person: int) -> None:
        leader, agenda = int(self.leaders[person]), self.agendas[person]
        self.present[person], self.next_arrivals[person] = True, np.inf
        if leader >= 0:
            self.points[person] = self.points[leader] + [0.3, 0.5]
            return
        stay = agenda.stays[self.stays[person]]
        self.points[person], self.goals[person], self.legs[person] = stay.route[0], stay.route[1], 1
        ahead = stay.route[1] - stay.route[0]
        self.facings[person] = ahead / max(float(np.hypot(*ahead)), 1e-9)
        self.velocities[person] = self.facings[person] * agenda.speed_mps

    def _reach(self, person: int, time_s: float) -> None:
        """Goes on to the next point of the route, after a pause where the agenda has one, or leaves."""
        agenda = self.agendas[person]
        stay = agenda.stays[self.stays[person]]
        if self.legs[person] + 1 < len(stay.route):
            self.pausing_until[person] = time_s + stay.pauses_s[self.legs[person]]
            self.legs[person] += 1
            self.goals[person] = stay.route[self.legs[person]]
            return
        party = [person, *np.flatnonzero(self.leaders == person)]
        self.present[party] = False
        self.stays[party] += 1
        if self.stays[person] < len(agenda.stays):
            self.next_arrivals[party] = time_s + stay.absence_s

    def _move(self, who: NDArray[np.int64], time_s: float) -> None:
        points, velocities = self.points[who], self.velocities[who]
        acceleration = (self._wanted(who, time_s) - velocities) / RELAXATION_S + self._repulsion(who)
        acceleration *= np.minimum(1, MAX_ACCELERATION / np.maximum(norm(acceleration), 1e-9))[:, None]
        velocities = velocities + TICK_S * acceleration
        velocities *= np.minimum(1, MAX_SPEED_MPS / np.maximum(norm(velocities), 1e-9))[:, None]
        moved = self._outside(apart(points + TICK_S * velocities, MIN_DISTANCE_M))
        step = moved - points
        step *= np.minimum(1, MAX_SPEED_MPS * TICK_S / np.maximum(norm(step), 1e-9))[:, None]
        self.points[who] = self._outside(points + step)
        self.velocities[who] = (self.points[who] - points) / TICK_S
        self._turn(who)

    def _wanted(self, who: NDArray[np.int64], time_s: float) -> Array:
        """(n, 2) velocity of each that nobody disturbs: to the goal, past things, or beside the other of the pair."""
        leaders = self.leaders[who]
        ahead = np.where((leaders >= 0)[:, None], self._beside(leaders, self.sides[who]), self.goals[who]) - self.points[who]
        distance = norm(ahead)
        speeds = np.where(time_s < self.pausing_until[who], 0.0, self.wanted_speeds[who])
        led = np.minimum(norm(self.velocities[leaders]) + 1.2 * distance, 1.9)
        speeds = np.where(leaders >= 0, np.where(distance > 0.15, led, 0.0), speeds)
        directions = self._around(self.points[who], ahead / np.maximum(distance, 1e-9)[:, None], distance)
        return np.asarray(speeds[:, None] * directions)

    def _beside(self, leaders: NDArray[np.int64], sides: Array) -> Array:
        facing = self.facings[leaders]
        left = np.column_stack([-facing[:, 1], facing[:, 0]])
        beside = SIDE_BY_SIDE_M * sides[:, None] * left + 0.8 * TICK_S * self.velocities[leaders]
        return np.asarray(self.points[leaders] + beside)

    def _around(self, points: Array, directions: Array, distances: Array) -> Array:
        """(n, 2) directions turned to the tangent of the nearest thing that stands in the way."""
        if not len(self.circles):
            return directions
        to_thing = self.circles[None, :, :2] - points[:, None]
        along = (to_thing * directions[:, None]).sum(axis=2)
        across = directions[:, None, 0] * to_thing[..., 1] - directions[:, None, 1] * to_thing[..., 0]  # > 0: on the left
        blocked = (along > 0) & (np.abs(across) < self.circles[:, 2] + 0.1) & (along < np.minimum(distances, 4.0)[:, None])
        nearest = np.where(blocked, along, np.inf).argmin(axis=1)
        rows = np.arange(len(points))
        gap = np.maximum(norm(to_thing[rows, nearest]), 1e-9)
        bearing = np.arctan2(to_thing[rows, nearest, 1], to_thing[rows, nearest, 0])
        tangent = np.arcsin(np.minimum((self.circles[nearest, 2] + 0.15) / gap, 1.0))
        turned = bearing - np.where(across[rows, nearest] > 0, 1.0, -1.0) * tangent
        tangents = np.column_stack([np.cos(turned), np.sin(turned)])
        return np.where(blocked.any(axis=1)[:, None], tangents, directions)

    def _repulsion(self, who: NDArray[np.int64]) -> Array:
        """(n, 2) acceleration of each by all others in sight; a pair does not repel each other."""
        soon = self.points[who] + LOOK_AHEAD_S * self.velocities[who]
        one, other = close(self.points[who], IN_SIGHT_M)
        party = np.where(self.leaders[who] >= 0, self.leaders[who], who)
        strangers = party[one] != party[other]
        one, other = one[strangers], other[strangers]
        away = soon[one] - soon[other]
        distance = np.maximum(norm(away), 1e-6)
        unit = away / distance[:, None]
        in_front = -(unit * self.facings[who][one]).sum(axis=1)
        strength = REPULSION * np.exp((SHOULDERS_M - distance) / REACH_M)
        strength *= BLINDNESS + (1 - BLINDNESS) * (1 + in_front) / 2
        push = summed(one, strength[:, None] * unit, len(who))
        sin, cos = np.sin(-ASIDE_RAD), np.cos(-ASIDE_RAD)
        return np.asarray(push @ np.array([[cos, sin], [-sin, cos]]))

    def _outside(self, points: Array) -> Array:
        """(n, 2) the points, those inside a thing or a block moved to its edge."""
        points = points.copy()
        for x, y, radius in self.circles:
            offset = points - [x, y]
            distance = norm(offset)
            inside = distance < radius
            points[inside] = [x, y] + offset[inside] * (radius / np.maximum(distance[inside], 1e-9))[:, None]
        for x1, y1, x2, y2 in self.blocks:
            depths = np.column_stack([points[:, 0] - x1, x2 - points[:, 0], points[:, 1] - y1, y2 - points[:, 1]]) + 0.3
            inside = np.flatnonzero((depths > 0).all(axis=1))
            side = depths[inside].argmin(axis=1)
            points[inside, side // 2] += np.array([-1, 1, -1, 1])[side] * depths[inside, side]
        return points

    def _turn(self, who: NDArray[np.int64]) -> None:
        """Headings follow the way, and stay where somebody stands; the gait follows the speed."""
        velocities = self.velocities[who]
        speeds = norm(velocities)
        aim = np.where((speeds > 0.25)[:, None], velocities / np.maximum(speeds, 1e-9)[:, None], self.facings[who])
        facings = self.facings[who] + TURN_RATE * (aim - self.facings[who])
        self.facings[who] = facings / np.maximum(norm(facings), 1e-9)[:, None]
        lengths = step_lengths(self.heights[who], speeds)
        self.phases[who] += np.pi * speeds * TICK_S / np.maximum(lengths, 0.05)
