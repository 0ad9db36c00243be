"""Alexnet-cvgj (Simon, Rodner, Denzler 2016, arXiv 1612.01452): the shared layers conv1 to conv4.

Read off the published train.prototxt: BatchNorm + Scale on the raw 0-255 BGR picture; a bias in every
convolution; BatchNorm without Scale (no affine) and ReLU after each; 3 x 3 max pooling with stride 2 after conv1
and conv2, its size rounded up as Caffe does; convolutions 2 and 4 in two groups; MSRA initialisation; moving
averages of 0.9 (momentum 0.1 in torch's sense). conv5 (256, two groups) and the pooling after it belong to the
sub-networks of the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.nn.convolution import before_norm


class AlexNetCVGJ(nn.Module):
    """conv1 to conv4: B x 3 x 227 x 227 RGB in 0-255 -> B x 384 x 13 x 13."""

    channels = 384
    stride = 16

    def __init__(self) -> None:
        super().__init__()
        self.data = nn.BatchNorm2d(3)
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.norm1, self.norm2, self.norm3, self.norm4 = (
            nn.BatchNorm2d(width, affine=False) for width in (96, 256, 384, 384)
        )
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        x = self.data(images.flip(1))  # RGB to the BGR it was published for
        x = self.pool(self._layer(x, self.conv1, self.norm1))
        x = self.pool(self._layer(x, self.conv2, self.norm2))
        x = self._layer(x, self.conv3, self.norm3)
        return self._layer(x, self.conv4, self.norm4)

    def _layer(self, x: Tensor, conv: nn.Conv2d, norm: nn.Module) -> Tensor:
        return torch.relu(norm(before_norm(x, conv, norm)))
