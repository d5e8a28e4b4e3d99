"""A picture of queries that go wrong: each with the crops that the network takes for the nearest."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.images import read_image
from training.reid.crops import Crops, Ints
from training.reid.market import JUNK

TILE_HEIGHT_PX, TILE_WIDTH_PX, FRAME_PX, GAP_PX = 128, 64, 3, 4
RIGHT, WRONG, ASKED, PAPER = (80, 170, 60), (60, 60, 220), (90, 90, 90), (255, 255, 255)  # BGR


def nearest(apart: NDArray[Any], query: Crops, row: int, gallery: Crops, count: int) -> Ints:
    """Rows of the gallery nearest to a query, in the order of ranks; `apart` (G,) are the query's distances."""
    here = (gallery.identity_ids == query.identity_ids[row]) & (gallery.camera_ids == query.camera_ids[row])
    kept = np.flatnonzero(~here & (gallery.identity_ids != JUNK))
    return np.asarray(kept[np.argsort(apart[kept], kind="stable")[:count]])


def draw_ranked_lists(query: Crops, rows: Ints, gallery: Crops, lists: list[Ints]) -> NDArray[np.uint8]:
    """(H, W, 3) BGR: a line for each of the queries' rows (R,): the query, then its list; green frames are right, red wrong."""
    lines = []
    for row, found in zip(rows.tolist(), lists, strict=True):
        tiles = [
            _tile(read_image(query.paths[row]), ASKED),
            np.full((TILE_HEIGHT_PX + GAP_PX, 3 * GAP_PX, 3), PAPER[0], np.uint8),
        ]
        for other in found.tolist():
            right = gallery.identity_ids[other] == query.identity_ids[row]
            tiles.append(_tile(read_image(gallery.paths[other]), RIGHT if right else WRONG))
        lines.append(np.hstack(tiles))
    width = max(line.shape[1] for line in lines)
    padded = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=PAPER[0]) for line in lines]
    return np.asarray(np.vstack(padded), dtype=np.uint8)


def _tile(picture: NDArray[Any], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The picture in a coloured frame, with paper to its right and below."""
    inner = (TILE_WIDTH_PX - 2 * FRAME_PX, TILE_HEIGHT_PX - 2 * FRAME_PX)
    tile = np.full((TILE_HEIGHT_PX + GAP_PX, TILE_WIDTH_PX + GAP_PX, 3), PAPER, dtype=np.uint8)
    tile[:TILE_HEIGHT_PX, :TILE_WIDTH_PX] = color
    tile[FRAME_PX : FRAME_PX + inner[1], FRAME_PX : FRAME_PX + inner[0]] = cv2.resize(
        picture, inner, interpolation=cv2.INTER_AREA
    )
    return tile
