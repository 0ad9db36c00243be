"""What each block of a document says, from the results."""

from pathlib import Path

#: Of the repository.
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
