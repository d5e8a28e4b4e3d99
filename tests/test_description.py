"""What a run's description says of the result and of what changed."""

from dataclasses import replace

from stages.publishing.description import Published, describe, short_changes
from stages.publishing.result import Result

METRICS = {"raw": {"HOTA": 59.4, "IDF1": 77.9, "IDSW": 7}, "final": {"HOTA": 62.1, "IDF1": 80.2, "IDSW": 2}}
RESULT = Result({"a": 1, "b": 2}, METRICS, {"hall": METRICS}, {"detect": "f: 1"})
PARENT = Published("1", "b17d", "#/runs/1", {"a": "2", "b": "2", "gone": "x|y"},
                   {"HOTA": 60.0, "IDSW": 2.0, "sequences/hall/final/IDF1": 80.2, "sequences/hall/raw/HOTA": 1.0})  # fmt: skip


def test_a_description_says_what_changed_against_the_run_before() -> None:
    text = describe(RESULT, PARENT)
    assert text.startswith("Retrace on 1 sequence: hall.")
    assert "| final | 62.1 | 80.2 | 2 |" in text
    assert "### Changed against [b17d](#/runs/1)" in text
    assert "| a | 2 | 1 |\n| gone | x/y | - |" in text, "b is the same"
    assert "| HOTA | 60 | 62.1 | +2.1 |" in text
    assert "| hall: HOTA | - | 62.1 | - |" in text
    assert "| IDSW |" not in text.partition("### Result")[0], "as before"
    assert "hall: IDF1" not in text
    assert short_changes(RESULT, PARENT) == "a 2 to 1, gone x|y to -"
    same = Published("1", "b17d", "#/runs/1", RESULT.flat_params(), RESULT.flat_metrics())
    assert "No parameter.\n\nNo figure." in describe(RESULT, same)
    assert "Changed against" not in describe(RESULT, None)


def test_a_description_of_many_changes_stays_readable() -> None:
    many = replace(RESULT, params={f"p{n}": "x" * 100 for n in range(60)})
    lines = describe(many, PARENT).splitlines()
    assert sum(line.startswith("| p") for line in lines) == 41, "forty and the heading"
    assert "| and 23 more | | |" in lines
    assert max(map(len, lines)) < 100
