"""Training of the person detector: data set, training, evaluation."""
