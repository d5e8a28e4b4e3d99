"""Edits of a YAML file's text that leave every other byte as it is: comments, order, quotes and widths.

A parser says on which lines an entry stands, and lines are added or taken out. Loading and dumping, with comments kept, moves
the comments of neighbours: the heading of a section belongs to the last key of the section before.
"""

import textwrap
from collections.abc import Collection
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stages.errors import DataError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def with_entry(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with `name: entry` as the last entry of the top-level mapping `section`.

    Raises DataError where the section is no mapping or is written so that this edit is not safe.
    """
    expected = _load(text)
    _, mapping = _section(text, section)
    expected[section] = {**(expected[section] or {}), name: entry}
    indent = mapping.value[0][0].start_mark.column if mapping.value else 2
    block = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, width=4096)
    added = textwrap.indent(block, " " * indent).splitlines(keepends=True)
    lines = _lines(text)
    if not mapping.value:  # written as {}
        line = mapping.start_mark.line
        lines[line] = lines[line].replace("{}", "", 1).rstrip() + "\n"
    last = _last_line(mapping)
    return _checked("".join([*lines[: last + 1], *added, *lines[last + 1 :]]), expected, section)


def with_number(text: str, section: str, name: str, number: float) -> str:
    """The text with the number as the value of `name` in the top-level mapping `section`; a comment after it keeps its column.

    Raises DataError where the section has no such value, or is written so that this edit is not safe.
    """
    expected = _load(text)
    _, mapping = _section(text, section)
    node = next((value for key, value in mapping.value if key.value == name and isinstance(value, ScalarNode)), None)
    if node is None:
        raise DataError(f"{section}.{name}: expected a value, found none")
    expected[section] = {**expected[section], name: number}
    lines, (line, start), end = _lines(text), (node.start_mark.line, node.start_mark.column), node.end_mark.column
    before, after = lines[line][:start], lines[line][end:]
    comment = after.lstrip(" ")
    if comment.startswith("#"):
        lines[line] = before + f"{number!r} ".ljust(len(lines[line]) - len(before) - len(comment)) + comment
    else:
        lines[line] = before + repr(number) + after
    return _checked("".join(lines), expected, section)


def without_entries(text: str, section: str, names: Collection[str]) -> str:
    """The text without those entries of the top-level mapping `section` whose key is in `names`; {} where none is left."""
    expected = _load(text)
    heading, mapping = _section(text, section)
    gone: set[int] = set()
    for key, value in mapping.value:
        if key.value in names:
            gone.update(range(key.start_mark.line, _last_line(value) + 1))
    expected[section] = {key: value for key, value in (expected[section] or {}).items() if str(key) not in names}
    lines = _lines(text)
    if gone and not expected[section]:
        lines[heading] = lines[heading].replace(f"{section}:", f"{section}: {{}}", 1)
    return _checked("".join(line for number, line in enumerate(lines) if number not in gone), expected, section)


def _section(text: str, section: str) -> tuple[int, MappingNode]:
    """The line of the section's key, and its mapping."""
    root = yaml.compose(text, Loader=LOADER)
    for key, value in root.value if isinstance(root, MappingNode) else []:
        if key.value == section and isinstance(value, MappingNode):
            return key.start_mark.line, value
    raise DataError(f"{section}: expected a mapping, found none")


def _last_line(node: Node) -> int:
    """The line, from 0, on which the node's own text ends, without comments and blank lines that follow."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1][1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1])
    return int(node.end_mark.line)


def _lines(text: str) -> list[str]:
    return (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)


def _load(text: str) -> dict[str, Any]:
    return dict(yaml.load(text, Loader=LOADER))


def _checked(text: str, expected: dict[str, Any], section: str) -> str:
    """The text when it says what is expected; an edit by lines can not serve every way of writing YAML."""
    try:
        same = _load(text) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise DataError(f"{section}: expected one entry per key on lines of its own, got another layout: edit it by hand")
    return text
