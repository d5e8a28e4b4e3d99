"""A YAML file's mapping, as DVC reads it, within bounds that no file written by a person meets."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from stages.errors import ParamsError

MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_LETTERS = 10**6, 30, 10**5, 1000  # of a file, and of each value; far above any real one
UNREADABLE = (  # what ruamel.yaml lets through for damaged values: !!int x, 2001-99-99, a list as a key
    ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a file. Raises ParamsError when it is missing or no YAML mapping."""
    # YAML 1.2 as DVC reads it: both must see the same values. Python's parser, as C's overflows the stack on deep nesting.
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    yaml.max_depth = MAX_DEPTH
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ParamsError(f"expected at most {MAX_BYTES:,} bytes, got {path.stat().st_size:,}")
        node = yaml.load(path)
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: expected a file, found none (run stages from the project's root)") from error
    except MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ParamsError(f"{path}: expected YAML, got: {error.problem}{line}") from error
    except ParamsError as error:
        raise ParamsError(f"{path}: {error}") from error
    except (YAMLError, *UNREADABLE) as error:
        raise ParamsError(f"{path}: expected YAML, got: {str(error) or type(error).__name__}") from error
    if not isinstance(node, dict):
        raise ParamsError(f"{path}: expected a mapping of sections, got {type(node).__name__}")
    return node


class _BoundedComposer(Composer):
    """Counts values, those behind an alias each time anew: nine lines of aliases of aliases can stand for billions."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader=loader)
        self.count = 0
        self.sizes: dict[int, int] = {}  # by id of the node; the tree keeps nodes alive

    def compose_node(self, parent: Any, index: Any) -> Any:
        alias = self.parser.check_event(AliasEvent)
        mark = self.parser.peek_event().start_mark
        before = self.count
        self.count += 1
        node = super().compose_node(parent, index)
        if not alias:
            self.sizes[id(node)] = self.count - before
        elif id(node) not in self.sizes:
            raise ParamsError(f"line {mark.line + 1}: expected a value, got an alias of the value that it stands in")
        else:
            self.count += self.sizes[id(node)]
        if isinstance(node.value, str) and len(node.value) > MAX_LETTERS:
            raise ParamsError(
                f"line {mark.line + 1}: expected at most {MAX_LETTERS:,} letters in a value, got {len(node.value):,}"
            )
        if self.count > MAX_NODES:
            raise ParamsError(
                f"line {mark.line + 1}: expected at most {MAX_NODES:,} values, aliases counted each time, got more"
            )
        return node
