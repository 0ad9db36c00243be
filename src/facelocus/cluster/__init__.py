"""Photographs by the million: partitions of a listing, each analyzed by an actor on Ray, a Parquet file each."""
