"""The kernels of h100_kernels.py and h100_pse.py as layers with gradients, for channels-last tensors."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor, nn

from h100_kernels import (
    _blocks,
    _moments,
    _norm_relu,
    _norm_relu_back,
    _norm_relu_pool,
    _norm_relu_pool_back,
    column_block,
    reduce,
    sums,
)
from h100_pse import pse_pool, pse_pool_back, pse_pool_sums

EPS, MOMENTUM = 1e-5, 0.1


def rows(x: Tensor) -> Tensor:
    """View a channels-last B x C x H x W as (B*H*W) x C."""
    moved = x.permute(0, 2, 3, 1)
    assert moved.is_contiguous()
    return moved.reshape(-1, x.shape[1])


def channels_last(batch: int, height: int, width: int, channels: int, like: Tensor) -> Tensor:
    return like.new_empty((batch, height, width, channels)).permute(0, 3, 1, 2)


def _statistics(
    ys: tuple[Tensor, ...], mean: Tensor, variance: Tensor, shift: Tensor, span: int, step: int
) -> tuple[Tensor, Tensor]:
    """Return mean and 1 / deviation of all channels, part after part, and move the running ones.

    Channel c of a part is theirs at c // span * step + part * span + c % span.
    """
    width = ys[0].shape[1]
    found = torch.empty((2, len(ys) * width), device=ys[0].device)
    for i, y in enumerate(ys):
        flat = rows(y)
        partial = sums(flat, None)
        mine = found[:, i * width :]
        cols = column_block(width, 32)
        _moments[(width // cols,)](
            partial, mine[0], mine[1], shift, mean, variance, len(partial), len(flat), width, i * span,
            EPS=EPS, MOMENTUM=MOMENTUM, SPAN=span, STEP=step, PARTS_=32, COLS=cols,
        )  # fmt: skip
    return found[0], found[1]


class NormReluPool(torch.autograd.Function):
    """BatchNorm without scale and shift, ReLU, and with `pool` 3 x 3 maxima at stride 2.

    Takes the channels in len(ys) tensors and gives them in `parts`.
    """

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, variance: Tensor, shift: Tensor, pool: bool, parts: int, *ys: Tensor
    ) -> tuple[Tensor, ...]:
        ys = tuple(y.contiguous(memory_format=torch.channels_last) for y in ys)
        batch, width_in, height, width = ys[0].shape
        total = width_in * len(ys)
        m, r = _statistics(ys, mean, variance, shift, width_in, 0)
        down, across = ((height - 3) // 2 + 1, (width - 3) // 2 + 1) if pool else (height, width)
        outs = tuple(channels_last(batch, down, across, total // parts, ys[0]) for _ in range(parts))
        at = torch.empty((batch * down * across, total), dtype=torch.uint8, device=m.device) if pool else m
        for first, size, y, out in _pieces(ys, outs):
            cols = column_block(size, 64 if pool else 128)
            if pool:
                _norm_relu_pool[(batch * down, size // cols)](
                    y, m[first:], r[first:], out, at[:, first:], height, width, y.stride(0), out.stride(0), total,
                    COLS_OUT=across, WIDE=triton.next_power_of_2(across), COLS=cols,
                )  # fmt: skip
            else:
                _norm_relu[(triton.cdiv(len(y), 32), size // cols)](
                    y, m[first:], r[first:], out, len(y), y.stride(0), out.stride(0), ROWS=32, COLS=cols
                )
        ctx.save_for_backward(m, r, at, *ys, *outs)
        ctx.pool, ctx.inputs, ctx.sides = pool, len(ys), (batch, height, width, across)
        return outs

    @staticmethod
    def backward(ctx: Any, *d_outs: Tensor) -> tuple[Any, ...]:
        m, r, at, *both = ctx.saved_tensors
        ys, outs = both[: ctx.inputs], both[ctx.inputs :]
        batch, height, width, across = ctx.sides
        d_outs = tuple(d.contiguous(memory_format=torch.channels_last) for d in d_outs)
        d_ys = [torch.empty_like(y) for y in ys]
        share = 1 / (batch * height * width)
        all_sums = [reduce(sums(rows(d), rows(out)), share) for d, out in zip(d_outs, outs, strict=True)]
        part = outs[0].shape[1]
        pieces = zip(_pieces(ys, d_outs), _pieces(d_ys, d_outs), strict=True)
        for (first, size, y, d_out), (_, _, d_y, _) in pieces:
            mine = all_sums[first // part][:, first % part :]
            cols = column_block(size, 64 if ctx.pool else 128)
            if ctx.pool:
                _norm_relu_pool_back[(batch * height, size // cols)](
                    y, m[first:], r[first:], mine, d_out, at[:, first:], d_y, height, width, y.stride(0),
                    d_out.stride(0), at.stride(0), part,
                    COLS_OUT=across, WIDE=triton.next_power_of_2(width), COLS=cols,
                )  # fmt: skip
            else:
                _norm_relu_back[(triton.cdiv(len(y), 32), size // cols)](
                    y, m[first:], r[first:], mine, d_out, d_y, len(y), y.stride(0), d_out.stride(0), part,
                    ROWS=32, COLS=cols,
                )  # fmt: skip
        return None, None, None, None, None, *d_ys


def _pieces(left: Any, right: Any) -> list[tuple[int, int, Tensor, Tensor]]:
    """Return (first channel, channels, rows of the one, rows of the other) of channels that lie together in both."""
    total = left[0].shape[1] * len(left)
    size = total // max(len(left), len(right))
    found = []
    for first in range(0, total, size):
        one, other = (
            rows(parts[first // parts[0].shape[1]])[:, first % parts[0].shape[1] :][:, :size] for parts in (left, right)
        )
        found.append((first, size, one, other))
    return found


class PSEPool(torch.autograd.Function):
    """BatchNorm, ReLU, PSE(b), 3 x 3 maxima: conv5's two groups B x (R*128) x H x W -> B x R x windows x 256.

    The weights are PSEConv's of 256 channels, R of them; None leaves PSE out.
    """

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, variance: Tensor, shift: Tensor, regions: int,
        w1: Tensor | None, b1: Tensor | None, w2: Tensor | None, b2: Tensor | None, y0: Tensor, y1: Tensor,
    ) -> Tensor:  # fmt: skip
        y0, y1 = (y.contiguous(memory_format=torch.channels_last) for y in (y0, y1))
        batch, _, height, width = y0.shape
        windows = ((height - 3) // 2 + 1) * ((width - 3) // 2 + 1)
        m, r = _statistics((y0, y1), mean, variance, shift, 128, 256)
        z, s = m.new_empty((2, batch, regions, height * width))
        out = y0.new_empty((batch, regions, windows, 256))
        at = torch.empty(out.shape, dtype=torch.uint8, device=out.device)
        weights = [m if w is None else w for w in (w1, b1, w2, b2)]
        ctx.shape = {
            "REGIONS": regions, "PSE": w1 is not None, "H": height, "W": width,
        }  # fmt: skip
        ctx.wide = {"P": triton.next_power_of_2(height * width), "WIDE": triton.next_power_of_2(windows)}
        pse_pool[(batch * regions,)](
            rows(y0), rows(y1), m, r, *weights, z, s, out, at, **ctx.shape, **ctx.wide, COLS=32, num_warps=8
        )
        ctx.save_for_backward(m, r, *weights, z, s, out, at, y0, y1)
        return out

    @staticmethod
    def backward(ctx: Any, d_out: Tensor) -> tuple[Any, ...]:
        m, r, w1, b1, w2, b2, z, s, out, at, y0, y1 = ctx.saved_tensors
        d_out = d_out.contiguous()
        batch, regions = out.shape[:2]
        position_wide, wide = ctx.wide["P"], ctx.wide["WIDE"]
        d_weights = m.new_empty((batch, regions, 192))
        partial = m.new_empty((batch, 2, 2 * regions * 128))
        scratch = m.new_empty((batch * regions, 9 * wide + 16 * position_wide))
        dz = torch.empty_like(z)
        pse_pool_sums[(batch * regions,)](
            rows(y0), rows(y1), m, r, w1, b1, w2, b2, z, s, out, at, d_out, scratch, dz, d_weights, partial,
            **ctx.shape, **ctx.wide, COLS=32, num_warps=8,
        )  # fmt: skip
        means = reduce(partial, 1 / (y0.numel() / y0.shape[1]))
        d_y0, d_y1 = torch.empty_like(y0), torch.empty_like(y1)
        pse_pool_back[(batch * regions, 2)](
            rows(y0), rows(y1), m, r, means, s, dz, at, d_out, rows(d_y0), rows(d_y1), **ctx.shape, ROWS=32
        )
        if not ctx.shape["PSE"]:
            return None, None, None, None, None, None, None, None, d_y0, d_y1
        d = reduce(d_weights, 1.0)
        d_w1, d_b1, d_w2, d_b2 = d[:, :144], d[:, 144:160], d[:, 160:176], d[:, 176]
        given = zip((d_w1, d_b1, d_w2, d_b2), (w1, b1, w2, b2), strict=True)
        return None, None, None, None, *(d.reshape(w.shape) for d, w in given), d_y0, d_y1


class FramesToBlocks(nn.Module):
    """uint8 frames B x H x W x 3, mirrored where flip is set -> blocks B x 48 x h/4 x w/4 of the resized picture.

    Also returns the mean and variance of each colour, 3 each, in units of (pixel - 128) / 64.
    """

    def __init__(self, resize_rows: Tensor, resize_columns: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.sides, self.dtype = (resize_rows.shape[1], resize_columns.shape[0]), dtype
        self.side = len(resize_rows)
        for name, matrix in (("rows", resize_rows), ("columns", resize_columns.T)):
            at, by = two_taps(matrix)
            self.register_buffer(f"{name}_at", at)
            self.register_buffer(f"{name}_by", by)

    def forward(self, frames: Tensor, flip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        blocks = (self.side + 3) // 4
        out = torch.empty((len(frames), blocks, blocks, 48), dtype=self.dtype, device=frames.device)
        partial = torch.empty((len(frames), triton.cdiv(blocks, 16), 2, 64), device=frames.device)
        _blocks[partial.shape[:2]](
            frames, flip, self.rows_at, self.rows_by, self.columns_at, self.columns_by, out, partial,
            HEIGHT=self.sides[0], WIDTH=self.sides[1], SIDE=self.side, WIDE=16,
        )  # fmt: skip
        # The 17th group of three channels is padding.
        total = reduce(partial.flatten(0, 1), 1 / (len(frames) * self.side**2))[:, :48].unflatten(1, (16, 3)).sum(1)
        return out.permute(0, 3, 1, 2), total[0], total[1] - total[0] ** 2


def two_taps(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return of a resizing matrix each row's first source pixel, int32, and the weights of it and the next, N x 2."""
    device, matrix = matrix.device, matrix.detach().cpu()
    first = (matrix != 0).int().argmax(1)
    following = (first + 1).clamp(max=matrix.shape[1] - 1)
    pair = torch.stack([matrix.gather(1, first[:, None])[:, 0], matrix.gather(1, following[:, None])[:, 0]], 1)
    pair[first == following, 1] = 0
    if not torch.allclose(pair.sum(1), matrix.sum(1)):
        raise ValueError("a resized pixel is more than two rows or columns of the frame")
    return first.int().to(device), pair.contiguous().to(device)
