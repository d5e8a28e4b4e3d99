"""Long trials that a test suite has no time for; each runs by hand, and a small share of it in pytest."""
