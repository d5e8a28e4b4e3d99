"""Figures, times and counts as people read them."""

from typing import Any

NONE = "–"  # noqa: RUF001, an en dash: no figure


def figure(value: Any, signed: bool = False) -> str:
    """A figure as people read it: counts with separators, the rest with two decimals; `signed` shows a plus."""
    if value is None:
        return NONE
    sign = "+" if signed and isinstance(value, int | float) and value > 0 else ""
    if isinstance(value, float):
        return f"{sign}{value:,.2f}"
    return f"{sign}{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def clock(seconds: float) -> str:
    """A moment or duration: 7.4 s, 1:14.4 or 2:03:09."""
    tenths = round(10 * seconds)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    if hours:
        return f"{hours}:{minutes:02d}:{int(rest):02d}"
    return f"{minutes}:{rest:04.1f}" if minutes else f"{rest:.1f} s"


def called(identity: int, name: str) -> str:
    """The name that somebody gave the person, or their number."""
    return name or f"person {identity}"


def capital(text: str) -> str:
    """The text as the beginning of a heading."""
    return text[:1].upper() + text[1:]


def plural(count: int, one: str, many: str = "") -> str:
    """The count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
