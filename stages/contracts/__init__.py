"""The tables between stages, one frozen dataclass each."""
