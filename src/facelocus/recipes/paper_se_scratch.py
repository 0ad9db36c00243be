"""`paper_se` where ImageNet weights of its trunk are not at hand: from scratch, at a rate that lets it learn.

    facelocus train paper_se_scratch --data CELEBA --to RUN

The printed rate, 0.0001, is one for weights that are nearly there; SENet itself was trained from scratch at 0.6 with
batches of 1,024, which is 0.15 with 256.
"""

from dataclasses import replace

from facelocus.recipes.paper_se import RECIPE as PAPER

RECIPE = replace(PAPER, optimizer=replace(PAPER.optimizer, rate=0.15))
