"""Training: what a run is, and the run."""
