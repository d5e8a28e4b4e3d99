"""Figures as aligned text for a terminal."""

from collections.abc import Mapping, Sequence

COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "Frag", "tracklets", "tracked")  # what fits beside a name


def format_table(title: str, rows: Mapping[str, Mapping[str, float | int]], columns: Sequence[str]) -> str:
    """One line a row under a line of headings; the first column left, numbers right, `-` where there is none."""
    cells = [[title, *columns]]
    cells += [[name, *(_cell(figures.get(column)) for column in columns)] for name, figures in rows.items()]
    return aligned(cells)


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """Lines of equally many cells under each other: the first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))])
        for line in cells
    )


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
