"""The runs: one file each, stating only what differs from the defaults and why.

A new recipe is a file here with a RECIPE; its file name is what `facelocus train` calls it.
"""
