"""Colours of charts, and Plotly's templates for light and dark pages."""

from typing import Any

# After Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind people; the blue lighter, for dark pages.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#2887d2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
GREY, INK = "#8a94a3", "#1b1f26"
LEVEL_COLORS = {"raw": GREY, "rewired": SKY, "split": PURPLE, "merged": ORANGE, "final": BLUE}
DARK_GROUND = "#1b2029"  # behind identities' colours, which are made for footage


def clear(color: str, opacity: float) -> str:
    """A colour that lets so much of the page through; opacity 1: none."""
    red, green, blue = bytes.fromhex(color[1:])
    return f"rgba({red},{green},{blue},{opacity})"


def _template(text: str, grid: str, raised: str) -> dict[str, Any]:
    axis = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True, "title": {"standoff": 8}}
    return {
        "layout": {
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [BLUE, ORANGE, GREEN, RED, PURPLE, SKY],
            "hoverlabel": {"bgcolor": raised, "bordercolor": grid, "font": {"color": text}},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": text},
            "xaxis": axis,
            "yaxis": axis,
        }
    }


THEMES = {"light": _template(INK, "#e0e4ea", "#ffffff"), "dark": _template("#e6e9ee", "#363d49", "#232933")}
