"""Fewer examples, spread over a whole video."""


def stride(count: int, limit: int) -> int:
    """The step at which at most `limit` of `count` rows are left."""
    return max(1, -(-count // limit))
