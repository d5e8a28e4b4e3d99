"""A body that walks: joints of legs and arms from the phase of the gait, in step with the speed.

Body axes: x ahead, y left, z up, origin on the ground below the hips; lengths in metres, for a person of height h. A foot on
the ground stays where it is while the body passes over it, so nobody skates. Feet and hips give the knees (two links of known
length); arms swing against the legs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_SHARE = 0.42  # of the height, at BRISK_MPS; steps grow with the root of the speed (Grieve and Gear 1966)
BRISK_MPS = 1.35
THIGH, SHIN, ANKLE, HIP_SIDE = 0.245, 0.24, 0.045, 0.052  # shares of the height
SHOULDER, SHOULDER_SIDE, UPPER_ARM, FOREARM = 0.805, 0.103, 0.165, 0.15
JOINTS = ("hip", "knee", "ankle", "heel", "toe", "shoulder", "elbow", "hand")
CHAINS = {"hip": 0.047, "knee": 0.037, "ankle": 0.025, "shoulder": 0.032, "elbow": 0.025, "hand": 0.024}


def step_lengths(heights: NDArray[Any], speeds: NDArray[Any]) -> Array:
    """(n,) length of a step in metres."""
    return np.asarray(STEP_SHARE * heights * np.sqrt(np.asarray(speeds) / BRISK_MPS))


def make_joints(heights: Array, speeds: Array, phases: Array) -> Array:
    """(n, 2, 8, 3) joints of left and right: JOINTS in body axes. At phase 0 the left foot touches down in front."""
    steps = step_lengths(heights, speeds)
    leg = (THIGH + SHIN) * heights * 0.995
    low = np.sqrt(leg**2 - (0.34 * steps) ** 2)  # not half a step: the heel behind is off the ground
    hip_z = ANKLE * heights + low + 0.6 * (leg - low) * (1 - np.cos(2 * phases)) / 2
    sides = [_side(heights, steps, phases + offset, hip_z, sign) for sign, offset in ((1.0, 0.0), (-1.0, np.pi))]
    return np.stack(sides, axis=1)


def _side(h: Array, steps: Array, phases: Array, hip_z: Array, sign: float) -> Array:
    """(n, 8, 3) joints of one side, whose foot touches down at phase 0."""
    turn = (phases % (2 * np.pi)) / np.pi  # 0 to 1 on the ground, 1 to 2 in the air
    swing = np.clip(turn - 1, 0, 1)
    vigour = np.minimum(1, steps / (0.35 * h))
    ankle_x = np.where(turn < 1, steps * (0.5 - turn), steps * (swing - 0.16 * np.sin(2 * np.pi * swing) - 0.5))
    lift = (0.035 * np.sin(np.pi * swing) + 0.038 * np.exp(-(((turn - 1.08) / 0.22) ** 2))) * h * vigour
    pitch = (-0.85 * np.exp(-(((turn - 1.15) / 0.26) ** 2)) + 0.35 * np.exp(-(((turn - 1.92) / 0.12) ** 2))) * vigour
    side = sign * HIP_SIDE * h
    zero = np.zeros_like(h)
    hip, ankle = np.stack([zero, side, hip_z]), np.stack([ankle_x, 0.75 * side, ANKLE * h + lift])
    foot = np.stack([np.cos(pitch), 0.12 * sign + zero, np.sin(pitch)])
    sole = np.stack([zero, zero, -0.55 * ANKLE * h])
    knee = _bend(hip, ankle, THIGH * h, SHIN * h)
    reach = -0.5 * np.cos(phases) * vigour  # the arm of the foot in front is behind
    shoulder = np.stack([zero, sign * SHOULDER_SIDE * h, hip_z + (SHOULDER - THIGH - SHIN - ANKLE) * h])
    elbow = shoulder + UPPER_ARM * h * np.stack([np.sin(reach), 0.16 * sign + zero, -np.cos(reach)])
    flex = reach + 0.22 + 0.5 * np.maximum(reach, 0)
    hand = elbow + FOREARM * h * np.stack([np.sin(flex), -0.02 * sign + zero, -np.cos(flex)])
    heel, toe = ankle + sole - 0.022 * h * foot, ankle + sole + 0.088 * h * foot
    return np.stack([hip, knee, ankle, heel, toe, shoulder, elbow, hand]).transpose(2, 0, 1)


def _bend(hip: Array, ankle: Array, thigh: Array, shin: Array) -> Array:
    """(3, n) the knee, in front of the line from hip to ankle."""
    along = ankle - hip
    length = np.sqrt((along**2).sum(axis=0))
    unit, distance = along / length, np.minimum(length, 0.9999 * (thigh + shin))  # a foot out of reach stretches the shin
    share = (distance**2 + thigh**2 - shin**2) / (2 * distance)
    out = np.sqrt(np.maximum(thigh**2 - share**2, 0))
    ahead = np.stack([-unit[2], np.zeros_like(distance), unit[0]]) / np.hypot(unit[0], unit[2])  # across the leg
    return np.asarray(hip + unit * share + ahead * out)
