"""What can be wrong from outside: a table, a parameter, or an input. The message says place, expectation and finding."""


class ContractError(ValueError):
    """A table does not keep its contract."""


class ParamsError(ValueError):
    """A parameter is unknown, missing, of a wrong type or out of range."""


class DataError(ValueError):
    """An input file is missing, unreadable or does not fit the others."""
