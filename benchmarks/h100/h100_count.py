"""The two limits of PSE(b)-Alexnet-cvgj's training step: its arithmetic, and the bytes it cannot but move."""

from __future__ import annotations

from functools import cache

#: Outputs of conv1 to conv5 (eight sub-networks), and what their pooling leaves: numbers an image.
CONVOLVED = (55 * 55 * 96, 27 * 27 * 256, 169 * 384, 169 * 384, 169 * 2048)
POOLED = (27 * 27 * 96, 169 * 256, 169 * 384, 169 * 384, 36 * 2048)
#: Products a number of each convolution's output, and the hidden layer's.
TAPS = (3 * 121, 48 * 25, 256 * 9, 192 * 9, 192 * 9)
HIDDEN = 8 * 512 * 9216
PARAMETERS = 43_215_414


@cache
def training_flops(pse: bool = True) -> int:
    """Return the operations an image of forward and backward: conv1 needs no gradient of the pictures."""
    products = [outputs * taps for outputs, taps in zip(CONVOLVED, TAPS, strict=True)]
    logits = 40 * 512
    excite = 8 * 169 * (9 * 16 + 16) if pse else 0
    return 2 * (2 * products[0] + 3 * (sum(products[1:]) + HIDDEN + logits + excite))


def least_bytes(batch: int) -> int:
    """Return the bytes of a step in 16 bits if every tensor is read once by each kernel that cannot be fused away.

    A convolution's output is written, read forward (BatchNorm, ReLU, pooling) and backward, and its gradient written
    and read; what leaves the layer is written, read by the next convolution forward and backward, and its gradient
    written and read. Weights: SGD reads and writes weight and momentum in 32 bits; the gradient is written and read.
    """
    activations = 2 * 5 * (sum(CONVOLVED) + sum(POOLED))
    frames = 218 * 178 * 3 + 3 * 2 * 57 * 57 * 48
    return batch * (activations + frames) + 24 * PARAMETERS
