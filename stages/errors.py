"""What can be wrong from outside: a table, a parameter, or an input. The message says place, expectation and finding.

Whatever a message quotes from a file, it is one short line of printable text: a terminal obeys what it does not print.
"""

MAX_LETTERS = 1000


class InputError(ValueError):
    """The class of the three below."""

    def __init__(self, message: str) -> None:
        super().__init__(_one_line(message))


class ContractError(InputError):
    """A table does not keep its contract."""


class ParamsError(InputError):
    """A parameter is unknown, missing, of a wrong type or out of range."""


class DataError(InputError):
    """An input file is missing, unreadable or does not fit the others."""


def _one_line(message: str) -> str:
    """The message with single blanks for white space, what else does not print escaped, and the middle of a long one cut."""
    if len(message) > MAX_LETTERS:
        half = MAX_LETTERS // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in " ".join(message.split()))
