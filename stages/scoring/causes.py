"""Why a track loses its person."""

from typing import Literal, get_args

Cause = Literal["absence", "occlusion", "missed detection", "wrong join", "missed join"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
