"""What many replications mean: the study, its estimates with intervals, and the comparison."""
