"""Meta-training: the experimenter learns from games without end, and from what random domains ask of it."""
