"""The records of any grid read back, and its cells compared: what the pages of grids share."""
