"""The paper, reproduced: its tables and claims beside our runs, with intervals and verdicts, from records alone."""

from facelocus.reports.paper.report import write_report

__all__ = ["write_report"]
