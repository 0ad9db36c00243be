"""PSE(b)-Alexnet-cvgj's training step in several forms: the same function of the same parameters, computed otherwise.

A form is a set of ways; without any it is the network as one writes it first, its regions as one computation.

    blocks   conv1 on blocks of 4 x 4 pixels: 48 channels, 3 x 3 taps, stride 1, its kernel of 11 padded to 12
    fold     the BatchNorm of the pictures inside conv1's weights; no gradient of the pictures is needed then
    no_bias  conv1 to conv5 without biases, which the BatchNorm after them takes out again; running means keep them
    split    convolutions of two groups as two convolutions
    dense    convolutions of two groups as one, half of its weights 0
    norms    one kernel for BatchNorm, ReLU and pooling of conv1 to conv4
    tail     one kernel for BatchNorm, ReLU, PSE and pooling of conv5; needs split
    frames   one kernel from uint8 to blocks; has blocks and fold
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelocus.nn.convolution import blocks
from facelocus.nn.network import RegionNetwork

WAYS = frozenset({"blocks", "fold", "no_bias", "split", "dense", "norms", "tail", "frames"})


class Form(nn.Module):
    """A RegionNetwork of trunk alexnet_cvgj, copied, in the form of some ways.

    Calling it: frames uint8 B x H x W x 3 and flip, B, nonzero where mirrored -> logits B x A, float32 or more.

    Args:
        network: of paper_alex's spec; attention "pse_conv" or "none".
        ways: of WAYS.
        dtype: of activations and of the weights they meet.
    """

    def __init__(self, network: RegionNetwork, ways: frozenset[str], dtype: torch.dtype) -> None:
        super().__init__()
        unknown = ways - WAYS
        if unknown or ("tail" in ways and "split" not in ways) or {"split", "dense"} <= ways:
            raise ValueError(f"no form of {', '.join(sorted(ways))}")
        self.ways, self.dtype = ways | ({"blocks", "fold"} if "frames" in ways else set()), dtype
        self.network = copy.deepcopy(network)
        #: What stands for the hidden layer's weight where it learns in another dtype, see h100_optimizer.py.
        self.hidden: nn.Parameter | None = None
        resize = self.network.resize
        regions = torch.arange(len(network.attributes.regions), device=network.region_index.device)
        self.register_buffer("own", (regions[:, None] == network.region_index).to(dtype))
        if "frames" in ways:
            from h100_layers import FramesToBlocks

            self.frames = FramesToBlocks(resize.rows, resize.columns, dtype)
        if "tail" in ways:
            # Windows before channels, as the kernel writes them: the same weights in another order.
            hidden = self.network.sub_networks.hidden
            assert hidden is not None
            with torch.no_grad():
                hidden.weight.copy_(to_windows_first(hidden.weight))

    own: Tensor

    def forward(self, frames: Tensor, flip: Tensor) -> Tensor:
        trunk, ways = self.network.trunk, self.ways
        groups = 2 if "split" in ways else 1
        x, shift = self._conv1(frames, flip)
        xs = self._layer([x], trunk.norm1, shift, True, groups)
        for number, pool, after in ((2, True, 1), (3, False, groups), (4, False, groups)):
            conv = getattr(trunk, f"conv{number}")
            norm = getattr(trunk, f"norm{number}")
            ys = self._convolve(xs, conv.weight, conv.bias, conv.padding[0], conv.groups)
            xs = self._layer(ys, norm, conv.bias, pool, after)
        return self._sub_networks(xs)

    def _conv1(self, frames: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Return conv1's outputs, and what was left out of them: 96."""
        network, ways = self.network, self.ways
        data, conv = network.trunk.data, network.trunk.conv1
        if "frames" in ways:
            x, mean, variance = self.frames(frames, flip)
            count = len(frames) * self.frames.side**2
        else:
            x = frames.permute(0, 3, 1, 2).to(network.resize.rows.dtype)
            x = torch.where(flip.view(-1, 1, 1, 1) != 0, x.flip(3), x)
            x = network.resize(x).contiguous(memory_format=torch.channels_last)
            count = x.numel() // 3
        if "fold" not in ways:
            x = data(x.flip(1)).to(self.dtype)
            x, weight = self._as_blocks(x, conv.weight)
            x = F.conv2d(x, weight.to(self.dtype), self._bias(conv.bias), stride=1 if "blocks" in ways else 4)
            return x, conv.bias
        if "frames" not in ways:
            x = (x - 128) / 64
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
            x = x.to(self.dtype)
        # RGB here, BGR in the weights.
        mean, variance = 64 * mean.flip(0) + 128, 4096 * variance.flip(0)
        with torch.no_grad():
            data.running_mean.lerp_(mean, data.momentum)
            data.running_var.lerp_(variance * (count / (count - 1)), data.momentum)
            data.num_batches_tracked.add_(1)
        scale = data.weight * torch.rsqrt(variance + data.eps)
        weight = conv.weight * (64 * scale).view(3, 1, 1)
        x, weight = self._as_blocks(x, weight.flip(1))
        x = F.conv2d(x, weight.to(self.dtype), None, stride=1 if "blocks" in ways else 4)
        with torch.no_grad():
            shift = conv.bias + conv.weight.sum((2, 3)) @ (data.bias - scale * (mean - 128))
        return x, shift

    def _as_blocks(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        if "blocks" not in self.ways:
            return x, weight
        if "frames" not in self.ways:
            x = blocks(F.pad(x, (0, -x.shape[3] % 4, 0, -x.shape[2] % 4)), 4)
        return x, blocks(F.pad(weight, (0, 1, 0, 1)), 4)

    def _bias(self, bias: Tensor) -> Tensor | None:
        return None if {"no_bias", "norms"} & self.ways else bias.to(self.dtype)

    def _convolve(self, xs: list[Tensor], weight: Tensor, bias: Tensor, padding: int, groups: int) -> list[Tensor]:
        weight, kept = weight.to(self.dtype), self._bias(bias)
        if groups == 2 and "split" in self.ways:
            biases = (None, None) if kept is None else kept.chunk(2)
            return [F.conv2d(x, w, b, padding=padding) for x, w, b in zip(xs, weight.chunk(2), biases, strict=True)]
        if groups == 2 and "dense" in self.ways:
            weight, groups = as_dense(weight), 1
        return [F.conv2d(xs[0], weight, kept, padding=padding, groups=groups)]

    def _layer(self, ys: list[Tensor], norm: nn.BatchNorm2d, shift: Tensor, pool: bool, parts: int) -> list[Tensor]:
        """BatchNorm, ReLU and pooling; channels come in len(ys) tensors and go in `parts`."""
        if "norms" in self.ways:
            from h100_layers import NormReluPool

            norm.num_batches_tracked.add_(1)
            return list(NormReluPool.apply(norm.running_mean, norm.running_var, shift.detach(), pool, parts, *ys))
        x = torch.relu(self._normalise(ys[0] if len(ys) == 1 else torch.cat(ys, 1), norm, shift))
        if pool:
            x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        return list(x.chunk(parts, 1)) if parts > 1 else [x]

    def _normalise(self, x: Tensor, norm: nn.BatchNorm2d, shift: Tensor) -> Tensor:
        if {"no_bias", "norms"} & self.ways or (norm is self.network.trunk.norm1 and "fold" in self.ways):
            with torch.no_grad():  # before the call, whose gradient must find the mean as the call left it
                norm.running_mean.add_(shift, alpha=norm.momentum / (1 - norm.momentum))
        normalised: Tensor = norm(x)
        return normalised

    def _sub_networks(self, xs: list[Tensor]) -> Tensor:
        sub, ways, network = self.network.sub_networks, self.ways, self.network
        bias = sub.conv.bias
        assert bias is not None and sub.hidden is not None
        if "split" in ways:
            weight = sub.conv.weight.unflatten(1, (2, -1)).transpose(0, 1).to(self.dtype).flatten(1, 2)
            ys = [F.conv2d(x, w, padding=1) for x, w in zip(xs, weight, strict=True)]
        if "tail" in ways:
            x = self._tail(ys, bias)
        else:
            if "split" in ways:
                y = torch.stack([y.unflatten(1, (sub.regions, -1)) for y in ys], 2).flatten(1, 3)
            elif "dense" in ways:
                y = F.conv2d(xs[0], as_dense(sub.conv.weight.to(self.dtype)).flatten(0, 1), padding=1)
            else:
                weight = sub.conv.weight.to(self.dtype).unflatten(1, (2, -1)).transpose(0, 1).flatten(0, 2)
                y = F.conv2d(xs[0], weight, padding=1, groups=2)
                y = y.unflatten(1, (2, sub.regions, -1)).transpose(1, 2).flatten(1, 3)
            kept = self._bias(bias)
            if kept is not None:
                y = y + kept.flatten()[:, None, None]
            x = torch.relu(self._normalise(y, sub.norm, bias.flatten()))
            if sub.attention is not None:
                x = self._attention(x)
            x = F.max_pool2d(x, 3, stride=2, ceil_mode=True).unflatten(1, (sub.regions, sub.channels)).flatten(2)
        weight = sub.hidden.weight.to(self.dtype) if self.hidden is None else self.hidden
        hidden = torch.bmm(x.transpose(0, 1), weight.transpose(1, 2)).transpose(0, 1)
        x = torch.relu(hidden + sub.hidden.bias.to(self.dtype))
        x = sub.out_norm(x.flatten(1)).unflatten(1, (sub.regions, sub.features))
        weight = network.logit_weight.to(self.dtype)
        if "tail" in ways:
            # Every attribute of every region, then the right one: the gradient of an index sorts, this one multiplies.
            logits = ((x @ weight.T) * self.own).sum(1)
        else:
            logits = torch.einsum("baf,af->ba", x[:, network.region_index], weight)
        return logits.to(network.logit_bias.dtype) + network.logit_bias

    def _attention(self, x: Tensor) -> Tensor:
        """PSE with its weights in the dtype of activations, as autocast has it."""
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype == torch.bfloat16):
            excited: Tensor = self.network.sub_networks.attention(x)  # type: ignore[misc]
        return excited

    def _tail(self, ys: list[Tensor], bias: Tensor) -> Tensor:
        from h100_layers import PSEPool

        sub = self.network.sub_networks
        sub.norm.num_batches_tracked.add_(1)
        pse = sub.attention
        weights = (
            (None,) * 4 if pse is None else (pse.reduce.weight, pse.reduce.bias, pse.expand.weight, pse.expand.bias)
        )
        x: Tensor = PSEPool.apply(
            sub.norm.running_mean, sub.norm.running_var, bias.detach().flatten(), sub.regions, *weights, *ys
        )
        return x.flatten(2)


def as_dense(weight: Tensor) -> Tensor:
    """Return a convolution's weight of two groups, ... x C x I x h x w, as one of one: ... x C x 2I x h x w."""
    first, second = weight.chunk(2, -4)
    inputs = weight.shape[-3]
    none = (0, 0, 0, 0)
    return torch.cat([F.pad(first, (*none, 0, inputs)), F.pad(second, (*none, inputs, 0))], -4)


def to_windows_first(weight: Tensor) -> Tensor:
    """Return R x hidden x (256*windows) with channels last: R x hidden x (windows*256)."""
    return weight.unflatten(2, (256, -1)).transpose(2, 3).flatten(2)


def to_channels_first(weight: Tensor) -> Tensor:
    """Undo to_windows_first."""
    return weight.unflatten(2, (-1, 256)).transpose(2, 3).flatten(2)
