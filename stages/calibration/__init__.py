"""How probable it is that two tracklets are one person, learnt from decisions that ground truth judges."""
