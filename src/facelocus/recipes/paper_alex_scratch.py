"""`paper_alex` where the published weights of Alexnet-cvgj are not at hand: from scratch, at a rate that lets it learn.

    facelocus train paper_alex_scratch --data CELEBA --to RUN

The printed rate, 0.005, is one for weights that are nearly there; Alexnet-cvgj itself was trained from scratch at 0.05.
"""

from dataclasses import replace

from facelocus.recipes.paper_alex import RECIPE as PAPER

RECIPE = replace(PAPER, optimizer=replace(PAPER.optimizer, rate=0.05))
