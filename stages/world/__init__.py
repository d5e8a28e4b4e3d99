"""The sample world: who walks where in a made-up square, what cameras see of it, and exactly what is true of it."""
