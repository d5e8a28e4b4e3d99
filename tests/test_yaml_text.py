"""A number in a YAML file is exchanged and every other byte stays."""

import pytest

from stages.errors import DataError
from stages.yaml_text import with_number

TEXT = """\
# Who is who.
merge:
  enabled: true     # false: tracklets pass through
  temper: 0.24      # 0.01 to 10
  offset: 0.89
smooth: {temper: 3, sigma_s: 0.12}   # not this one
"""


@pytest.mark.parametrize(
    ("section", "name", "number", "before", "after"),
    [
        ("merge", "temper", 0.3, "temper: 0.24      #", "temper: 0.3       #"),
        ("merge", "temper", 0.123, "temper: 0.24      #", "temper: 0.123     #"),
        ("merge", "temper", -12.345678, "temper: 0.24      #", "temper: -12.345678 #"),
        ("merge", "offset", -1.5, "offset: 0.89\n", "offset: -1.5\n"),
        ("smooth", "temper", 0.5, "{temper: 3, ", "{temper: 0.5, "),
    ],
)
def test_only_the_number_changes_and_its_comment_keeps_its_column(
    section: str, name: str, number: float, before: str, after: str
) -> None:
    assert with_number(TEXT, section, name, number) == TEXT.replace(before, after)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("merge:\n  offset: 0.89\n", "merge.temper: expected a value, found none"),
        ("merge:\n  temper: [1]\n", "merge.temper: expected a value, found none"),
        ("track: {}\n", "merge: expected a mapping, found none"),
        ("merge:\n  temper: >-\n    1\n    2\n", "merge: expected one entry per key on lines of its own, got another layout"),
        ("merge:\n  temper: &t 1\nsmooth:\n  sigma_s: *t\n", "merge: expected one entry per key on lines of its own"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        with_number(text, "merge", "temper", 0.5)
