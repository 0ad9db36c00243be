"""Does a sub-network look at its region? Measured for one model, and many side by side as a page."""

from facelocus.reports.localisation.measure import measure_localisation

__all__ = ["measure_localisation"]
