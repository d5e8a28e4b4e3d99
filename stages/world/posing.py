"""A figure in a pose and a place: the pieces of one person as a camera sees them, farthest first."""

import numpy as np
from numpy.typing import NDArray

from stages.world.body import ANKLE, CHAINS, JOINTS, SHIN, THIGH
from stages.world.figure import make_figure
from stages.world.looks import Color, Look, blend
from stages.world.solids import CIRCLE, Piece, Solids, box, table
from stages.world.trunk import shaded

Array = NDArray[np.float64]

J = {name: k for k, name in enumerate(JOINTS)}
HIP_REST = ANKLE + 0.995 * (THIGH + SHIN)
FAR_LIMB = (70, 50, 50)  # what a limb on the far side blends to
PARTS = ("trunk", "lower", "head", "behind_head", "on_back", "at_side")
Tubes = list[tuple[Array, Color]]  # hulls of points in body axes


class Person:
    """Somebody's figure, to be posed again and again."""

    def __init__(self, look: Look, height_m: float) -> None:
        self.look, self.height_m = look, height_m
        figure = make_figure(look)
        parts: list[list[Piece]] = [getattr(figure, part) for part in PARTS]
        self.pieces = table([piece for part in parts for piece in part])
        self.casting = self.pieces.casting
        stops = np.cumsum([len(part) for part in parts]).tolist()
        self.parts = {name: range(stop - len(part), stop) for name, stop, part in zip(PARTS, stops, parts, strict=True)}


class Pose:
    """One person with these joints (2, 8, 3) in body axes, seen from `eye` (3,) m; `sun` (3,) is the unit vector towards it."""

    def __init__(self, person: Person, point: Array, heading: float, joints: Array, eye: Array, sun: Array) -> None:
        self.person, self.height, self.joints = person, person.height_m, joints
        cos, sin = np.cos(heading), np.sin(heading)
        self.turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])  # row vectors: body to world
        self.origin = np.array([point[0], point[1], 0.0])
        self.eye = (eye - self.origin) @ self.turn.T  # in body axes
        self.sun = sun @ self.turn.T
        self.view = self.eye[:2] / np.hypot(self.eye[0], self.eye[1])  # from the person to the camera
        ahead = np.array([0, 0, 0.6 * self.height]) - self.eye
        right = np.array([ahead[1], -ahead[0], 0.0]) / np.hypot(ahead[0], ahead[1])
        up = np.cross(right, ahead) / np.linalg.norm(ahead)
        self.rim = CIRCLE @ np.stack([right, up])  # (14, 3) unit circle that faces the camera
        self.rise = self.joints[0, J["hip"], 2] - HIP_REST * self.height

    def solids(self) -> Solids:
        """All pieces, farthest first."""
        pieces = self.person.pieces
        points = pieces.points * self.height + [0.0, 0.0, self.rise]
        kept = pieces.kept(points, self.eye, self.sun)
        limbs, order = self._limbs()
        stops = np.cumsum([len(points), *(len(tube) for tube, _ in limbs)]).tolist()
        slices = pieces.slices + [(a, b, tone) for a, b, (_, tone) in zip(stops[:-1], stops[1:], limbs, strict=True)]
        everything = np.concatenate([points, *(tube for tube, _ in limbs)])
        return Solids(
            self.origin + everything @ self.turn,
            np.concatenate([kept, np.ones(stops[-1] - len(points), dtype=bool)]),
            [slices[k] for k in order],
            self.person.casting + slices[len(pieces.slices) :],
        )

    def _limbs(self) -> tuple[Tubes, list[int]]:
        """What moves, and the order of drawing: numbers of the figure's pieces and, after those, of the limbs."""
        parts, back = self.person.parts, -self.view[0]  # back > 0: the camera sees the back
        layers: list[tuple[float, range]] = [
            (-5.0, parts["lower"]), (0.0, parts["trunk"]), (10.0, parts["head"]),
            (20.0 if back > 0 else -0.5, parts["behind_head"]), (0.3 if back > 0 else -0.6, parts["on_back"]),
            (self.view[1] * 0.3 + 0.05, parts["at_side"]),
        ]  # fmt: skip
        limbs: Tubes = []
        for side in (0, 1):
            knee, elbow, hand = (float(self.joints[side, J[name], :2] @ self.view) for name in ("knee", "elbow", "hand"))
            added = [(knee - 10.0, self._leg(side)), (elbow + 0.02, self._arm(side))]
            if self.person.look.bag == "tote" and side == 1:
                added.append((hand + 0.015, self._tote()))
            for depth, tubes in added:
                first = len(self.person.pieces.slices) + len(limbs)
                layers.append((depth, range(first, first + len(tubes))))
                limbs += tubes
        return limbs, [k for _, numbers in sorted(layers, key=lambda layer: layer[0]) for k in numbers]

    def _tube(
        self, side: int, start: str, end: str, tone: Color, thick: float = 1.0, share: float = 1.0
    ) -> tuple[Array, Color]:
        """A limb from a joint to (a share of the way to) the next."""
        a, b = self.joints[side, J[start]], self.joints[side, J[end]]
        radius_a = CHAINS[start] * self.height * thick
        radius_b = radius_a + share * (CHAINS[end] * self.height * thick - radius_a)
        return np.concatenate([a + radius_a * self.rim, a + share * (b - a) + radius_b * self.rim]), tone

    def _tone(self, side: int, tone: Color, joint: str) -> Color:
        """A limb's colour, darker on the far side."""
        away = -float(self.joints[side, J[joint], :2] @ self.view) / self.height
        return blend(tone, FAR_LIMB, 0.22 * float(np.clip(0.5 + away / 0.12, 0, 1)))

    def _leg(self, side: int) -> Tubes:
        look = self.person.look
        bare = look.bottom != "trousers" or look.top == "dress"
        skin, cloth = self._tone(side, look.skin, "hip"), self._tone(side, look.bottom_color, "hip")
        shoe = self._tone(side, look.shoe_color, "hip")
        thick = look.build**0.7
        parts = [self._shoe(side, shaded(shoe), -0.012), self._shoe(side, shoe, 0.004)]
        if not bare:
            shin = self._tube(side, "knee", "ankle", cloth, 1.1 * thick, 0.94)
            return [*parts, shin, self._tube(side, "hip", "knee", cloth, 1.08 * thick)]
        parts.append(self._tube(side, "knee", "ankle", skin, 0.92 * thick))
        parts.append(self._tube(side, "hip", "knee", skin, 0.95 * thick))
        if look.bottom == "shorts":
            parts.append(self._tube(side, "hip", "knee", cloth, 1.15 * thick, 0.82))
        return parts

    def _shoe(self, side: int, tone: Color, lift: float) -> tuple[Array, Color]:
        heel, toe, ankle = (self.joints[side, J[name]] for name in ("heel", "toe", "ankle"))
        up = np.array([0, 0, lift * self.height])
        r = 0.021 * self.height
        parts = [heel + up + r * self.rim, toe + up + 0.85 * r * self.rim]
        if lift > 0:
            parts.append(ankle + 0.8 * r * self.rim)
        return (np.concatenate(parts), tone)

    def _arm(self, side: int) -> Tubes:
        look = self.person.look
        skin, thick = self._tone(side, look.skin, "shoulder"), look.build**0.7
        sleeve = look.pattern_color if look.pattern == "block" and look.top in ("tshirt", "hoodie") else look.top_color
        sleeve = self._tone(side, blend(sleeve, (0, 0, 0), 0.07), "shoulder")
        hand = (self.joints[side, J["hand"]] + 0.027 * self.height * self.rim, skin)
        if look.top in ("tshirt", "dress"):
            forearm = self._tube(side, "elbow", "hand", skin, 0.95 * thick)
            bare = self._tube(side, "shoulder", "elbow", skin, 0.95 * thick)
            return [forearm, hand, bare, self._tube(side, "shoulder", "elbow", sleeve, 1.16 * thick, 0.62)]
        thick *= 1.2 if look.top in ("hoodie", "jacket", "coat") else 1.08
        forearm = self._tube(side, "elbow", "hand", sleeve, thick, 0.92)
        return [hand, forearm, self._tube(side, "shoulder", "elbow", sleeve, thick)]

    def _tote(self) -> Tubes:
        hand, h = self.joints[1, J["hand"]], self.height
        tone = self.person.look.bag_color
        bag = box((-0.085 * h, -0.022 * h, -0.2 * h), (0.085 * h, 0.022 * h, -0.06 * h), 0.012 * h)
        handle = np.array([[-0.04, 0, -0.06], [0.04, 0, -0.06], [0.008, 0, 0.0], [-0.008, 0, 0.0]]) * h
        return [(hand + handle, shaded(tone)), (hand + bag, tone)]
