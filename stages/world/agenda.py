"""What everybody is up to: when somebody comes, by which way, where they stop, with whom, and whether they return."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.place import Place
from stages.world.scene import SceneParams

Array = NDArray[np.float64]

SPEED_MPS, SPEED_SPREAD, SPEED_LIMITS = 1.3, 0.2, (0.8, 1.75)  # of adults in a shopping street
HEIGHT_M, HEIGHT_SPREAD, HEIGHT_LIMITS = 1.72, 0.09, (1.5, 1.95)
PAUSES_S = (2.0, 6.0)
ABSENCES_S = (2.0, 6.0)
MARGIN_M = 2.0  # of the square in which nobody has a goal
FREE_M = 0.8  # a goal keeps from a thing


@dataclass(frozen=True, eq=False)
class Stay:
    """One time in the square."""

    route: Array  # (W, 2) m
    pauses_s: Array  # (W,) at each point of the route
    absence_s: float  # until the next stay


@dataclass(frozen=True, eq=False)
class Agenda:
    """One person's plan. Who follows a `leader` (-1: nobody) walks on the leader's `side` (1: left) and has no route."""

    arrival_s: float
    height_m: float
    speed_mps: float
    leader: int
    side: float
    stays: tuple[Stay, ...]


def make_agendas(params: SceneParams, place: Place, start_s: float) -> list[Agenda]:
    """Plans of everybody who is there at `start_s` or comes later; the same for the same seed."""
    rng = np.random.default_rng([params.seed, 1])
    arriving = rng.poisson(params.arrivals_per_minute * (params.seconds - start_s) / 60)
    arrivals = np.concatenate([np.full(params.people, start_s), np.sort(rng.uniform(start_s, params.seconds, arriving))])
    agendas: list[Agenda] = []
    while len(agendas) < len(arrivals):
        arrival, leader = float(arrivals[len(agendas)]), len(agendas)
        agendas.append(_leader(params, place, arrival, arrival == start_s, rng))
        if rng.random() < params.pair_share / (2 - params.pair_share) and len(agendas) < len(arrivals):
            first = agendas[-1]
            agendas.append(
                Agenda(first.arrival_s, _height(rng), first.speed_mps, leader, float(rng.choice([-1.0, 1.0])), first.stays)
            )
    return agendas


def _leader(params: SceneParams, place: Place, arrival_s: float, already: bool, rng: np.random.Generator) -> Agenda:
    speed = float(np.clip(rng.normal(SPEED_MPS, SPEED_SPREAD), *SPEED_LIMITS))
    stays = [_stay(params, place, already, rng)]
    while rng.random() < params.return_share and len(stays) < 4:
        stays.append(_stay(params, place, False, rng))
    return Agenda(arrival_s, _height(rng), speed, -1, 0.0, tuple(stays))


def _height(rng: np.random.Generator) -> float:
    return float(np.clip(rng.normal(HEIGHT_M, HEIGHT_SPREAD), *HEIGHT_LIMITS))


def _stay(params: SceneParams, place: Place, already: bool, rng: np.random.Generator) -> Stay:
    """From a gate, or where somebody already is, past one to three points and out by another gate."""
    entry, leave = rng.choice(len(place.gates), 2, replace=False)
    goals = [_free_point(place, rng) for _ in range(rng.integers(1, 4))]
    way_in = [_free_point(place, rng)] if already else list(place.gates[entry])
    route = np.array([*way_in, *goals, *place.gates[leave][::-1]])
    pauses = np.zeros(len(route))
    at_goals = slice(len(way_in), len(way_in) + len(goals))
    pauses[at_goals] = np.where(rng.random(len(goals)) < params.stop_share, rng.uniform(*PAUSES_S, len(goals)), 0.0)
    return Stay(route, pauses, float(rng.uniform(*ABSENCES_S)))


def _free_point(place: Place, rng: np.random.Generator) -> Array:
    """(2,) a point of the square that no thing stands on."""
    half = np.array([place.width_m, place.depth_m]) / 2 - MARGIN_M
    while True:
        point = rng.uniform(-half, half)
        if all(np.hypot(point[0] - thing.x, point[1] - thing.y) > thing.keep_out + FREE_M for thing in place.things):
            return np.asarray(point)
