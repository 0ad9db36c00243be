"""Labelled faces: readers that return a FaceTable, and the Pack of decoded faces made from it."""

from facelocus.data.pack import Pack, open_pack
from facelocus.data.readers import read_table
from facelocus.data.table import SPLITS, FaceTable

__all__ = ["SPLITS", "FaceTable", "Pack", "open_pack", "read_table"]
