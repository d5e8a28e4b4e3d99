"""Training and evaluation of Re-ID networks: data sets of crops, the training loop, the Market-1501 protocol."""
