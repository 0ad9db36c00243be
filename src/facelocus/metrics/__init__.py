"""How good predicted probabilities are: scores, their intervals, and the thresholds of a yes."""

from facelocus.metrics.accuracy import Confusion, average_precision, measure
from facelocus.metrics.intervals import interval, resample
from facelocus.metrics.summary import summarise
from facelocus.metrics.thresholds import choose_thresholds

__all__ = [
    "Confusion",
    "average_precision",
    "choose_thresholds",
    "interval",
    "measure",
    "resample",
    "summarise",
]
