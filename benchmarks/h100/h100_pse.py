# ruff: noqa: N803 - constants of a kernel are written as Triton's own are
"""Triton kernels of a sub-network's tail: BatchNorm, ReLU, PSE(b) and 3 x 3 max pooling as one, forward and backward.

One program is one region of one picture. Its 256 channels lie half and half in two tensors, the two groups of conv5:
(B*H*W) x (R*128) each. With s the mask, the pooled value p = s * x at the position that was largest, so that
s * ds = sum of dp * p: the mask's gradient is read off what left the layer.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _excite(z, w1, b1, w2, b2, region, H: tl.constexpr, W: tl.constexpr, P: tl.constexpr):
    """Return hidden sums before ReLU 16 x P, the neighbours of each position 16 x P, W1, w2 and the mask P."""
    position = tl.arange(0, P)
    k = tl.arange(0, 16)
    y = (position // W)[None] + (k // 3 - 1)[:, None]
    x = (position % W)[None] + (k % 3 - 1)[:, None]
    there = (y >= 0) & (y < H) & (x >= 0) & (x < W) & (k < 9)[:, None] & (position < H * W)[None]
    near = tl.load(z + y * W + x, there, 0.0)
    first = tl.load(w1 + region * 144 + k[:, None] * 9 + k[None], (k < 9)[None], 0.0)
    hidden = tl.dot(first, near, input_precision="ieee") + tl.load(b1 + region * 16 + k)[:, None]
    second = tl.load(w2 + region * 16 + k)
    e = tl.sum(tl.maximum(hidden, 0.0) * second[:, None], 0) + tl.load(b2 + region)
    return hidden, near, first, second, 1 / (1 + tl.exp(-e))


@triton.jit
def pse_pool(
    y0, y1, mean, rstd, w1, b1, w2, b2, z, s, out, at, REGIONS: tl.constexpr,
    PSE: tl.constexpr, H: tl.constexpr, W: tl.constexpr, P: tl.constexpr, WIDE: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """mean and rstd are 2 x R*128; z and s are B x R x H*W; out and at are B x R x windows x 256."""
    picture, region = tl.program_id(0) // REGIONS, tl.program_id(0) % REGIONS
    mine = tl.program_id(0)
    stride: tl.constexpr = REGIONS * 128
    position = tl.arange(0, P)
    within = position < H * W
    if PSE:
        total = tl.zeros((P,), tl.float32)
        for half in tl.static_range(2):
            y = y0 if half == 0 else y1
            for block in range(128 // COLS):
                column = region * 128 + block * COLS + tl.arange(0, COLS)
                where = (picture * H * W + position)[:, None] * stride + column[None]
                x = tl.load(y + where, within[:, None], 0.0).to(tl.float32)
                moments = half * stride + column
                x = (x - tl.load(mean + moments)[None]) * tl.load(rstd + moments)[None]
                total += tl.sum(tl.maximum(x, 0.0), 1)
        tl.store(z + mine * H * W + position, total / 256, within)
        tl.debug_barrier()  # the neighbours' sums are read back from memory
        _, _, _, _, mask = _excite(z + mine * H * W, w1, b1, w2, b2, region, H, W, P)
        tl.store(s + mine * H * W + position, mask, within)
        tl.debug_barrier()
    rows_out: tl.constexpr = (H - 3) // 2 + 1
    columns_out: tl.constexpr = (W - 3) // 2 + 1
    windows: tl.constexpr = rows_out * columns_out
    window = tl.arange(0, WIDE)
    there = window < windows
    for half in tl.static_range(2):
        y = y0 if half == 0 else y1
        for block in range(128 // COLS):
            column = region * 128 + block * COLS + tl.arange(0, COLS)
            moments = half * stride + column
            m, scale = tl.load(mean + moments)[None], tl.load(rstd + moments)[None]
            best = tl.full((WIDE, COLS), -1.0, tl.float32)
            which = tl.zeros((WIDE, COLS), tl.int32)
            for k in tl.static_range(9):
                place = (2 * (window // columns_out) + k // 3) * W + 2 * (window % columns_out) + k % 3
                where = (picture * H * W + place)[:, None] * stride + column[None]
                x = tl.load(y + where, there[:, None], 0.0).to(tl.float32)
                x = tl.maximum((x - m) * scale, 0.0)
                if PSE:
                    x = x * tl.load(s + mine * H * W + place, there, 0.0)[:, None]
                which = tl.where(x > best, k, which)
                best = tl.maximum(x, best)
            channel = half * 128 + block * COLS + tl.arange(0, COLS)
            where = (mine * windows + window)[:, None] * 256 + channel[None]
            tl.store(out + where, best.to(out.dtype.element_ty), there[:, None])
            tl.store(at + where, which.to(tl.uint8), there[:, None])


@triton.jit
def pse_pool_sums(
    y0, y1, mean, rstd, w1, b1, w2, b2, z, s, out, at, d_out, scratch, dz, d_weights, partial, REGIONS: tl.constexpr,
    PSE: tl.constexpr, H: tl.constexpr, W: tl.constexpr, P: tl.constexpr, WIDE: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """The gradients of PSE's weights (B x R x 192: w1 144, b1 16, w2 16, b2 1) and of its squeeze (dz, B x R x H*W,
    divided by 256), and what each picture adds to the two sums of BatchNorm's backward pass: partial B x 2 x 2 x R*128.

    scratch is B x R x (9 * windows' power of 2 + 16 * P) float32.
    """
    picture, region = tl.program_id(0) // REGIONS, tl.program_id(0) % REGIONS
    mine = tl.program_id(0)
    stride: tl.constexpr = REGIONS * 128
    rows_out: tl.constexpr = (H - 3) // 2 + 1
    columns_out: tl.constexpr = (W - 3) // 2 + 1
    windows: tl.constexpr = rows_out * columns_out
    window = tl.arange(0, WIDE)
    there = window < windows
    sent_by = tl.zeros((WIDE, 16), tl.float32)
    kind = tl.arange(0, 16)
    for block in range(256 // COLS):
        channel = block * COLS + tl.arange(0, COLS)
        where = (mine * windows + window)[:, None] * 256 + channel[None]
        p = tl.load(out + where, there[:, None], 0.0).to(tl.float32)
        d = tl.load(d_out + where, there[:, None], 0.0).to(tl.float32)
        product = d * p
        first = tl.where(p > 0, d, 0.0)
        if PSE:
            chosen = tl.load(at + where, there[:, None], 9).to(tl.int32)
            mask = tl.zeros((WIDE, COLS), tl.float32)
            for k in tl.static_range(9):
                place = (2 * (window // columns_out) + k // 3) * W + 2 * (window % columns_out) + k % 3
                here = chosen == k
                sent = tl.sum(tl.where(here, product, 0.0), 1)
                sent_by += tl.where((kind == k)[None], sent[:, None], 0.0)
                mask = tl.where(here, tl.load(s + mine * H * W + place, there, 0.0)[:, None], mask)
            first = first * mask
        to = partial + picture * 4 * stride + channel // 128 * stride + region * 128 + channel % 128
        tl.store(to, tl.sum(first, 0))
        tl.store(to + 2 * stride, tl.sum(product, 0))
    if PSE:
        position = tl.arange(0, P)
        within = position < H * W
        mine_sent = scratch + mine * (9 * WIDE + 16 * P)
        tl.store(mine_sent + kind[None] * WIDE + window[:, None], sent_by, (kind < 9)[None] & there[:, None])
        tl.debug_barrier()
        total = tl.zeros((P,), tl.float32)
        for i in tl.static_range(2):
            for j in tl.static_range(2):
                top, left = position // W // 2 - i, position % W // 2 - j
                down, across = position // W - 2 * top, position % W - 2 * left
                inside = within & (top >= 0) & (top < rows_out) & (down < 3)
                inside = inside & (left >= 0) & (left < columns_out) & (across < 3)
                total += tl.load(mine_sent + (down * 3 + across) * WIDE + top * columns_out + left, inside, 0.0)
        hidden, near, weight1, weight2, mask = _excite(z + mine * H * W, w1, b1, w2, b2, region, H, W, P)
        de = tl.where(within, total * (1 - mask), 0.0)
        da = tl.where(hidden > 0, de[None] * weight2[:, None], 0.0)
        weights = d_weights + mine * 192
        k = tl.arange(0, 16)
        d_first = tl.dot(da, tl.trans(near), input_precision="ieee")
        tl.store(weights + k[:, None] * 9 + k[None], d_first, (k < 9)[None] & (k >= 0)[:, None])
        tl.store(weights + 144 + k, tl.sum(da, 1))
        tl.store(weights + 160 + k, tl.sum(tl.maximum(hidden, 0.0) * de[None], 1))
        tl.store(weights + 176, tl.sum(de, 0))
        back = mine_sent + 9 * WIDE
        tl.store(back + k[:, None] * P + position[None], tl.dot(tl.trans(weight1), da, input_precision="ieee"))
        tl.debug_barrier()
        squeeze = tl.zeros((P,), tl.float32)
        for tap in tl.static_range(9):
            y, x = position // W - (tap // 3 - 1), position % W - (tap % 3 - 1)
            inside = within & (y >= 0) & (y < H) & (x >= 0) & (x < W)
            squeeze += tl.load(back + tap * P + y * W + x, inside, 0.0)
        squeeze = squeeze / 256
        tl.store(dz + mine * H * W + position, squeeze, within)
        for half in tl.static_range(2):
            y_ = y0 if half == 0 else y1
            for block in range(128 // COLS):
                column = region * 128 + block * COLS + tl.arange(0, COLS)
                moments = half * stride + column
                where = (picture * H * W + position)[:, None] * stride + column[None]
                x_ = tl.load(y_ + where, within[:, None], 0.0).to(tl.float32)
                x_ = (x_ - tl.load(mean + moments)[None]) * tl.load(rstd + moments)[None]
                d_ = tl.where((x_ > 0) & within[:, None], squeeze[:, None], 0.0)
                to = partial + picture * 4 * stride + moments
                tl.store(to, tl.load(to) + tl.sum(d_, 0))
                tl.store(to + 2 * stride, tl.load(to + 2 * stride) + tl.sum(d_ * x_, 0))


@triton.jit
def pse_pool_back(
    y0, y1, mean, rstd, sums, s, dz, at, d_out, d_y0, d_y1, REGIONS: tl.constexpr,
    PSE: tl.constexpr, H: tl.constexpr, W: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """The gradient of conv5's outputs; sums are BatchNorm's two means, 2 x 2 x R*128."""
    mine, half = tl.program_id(0), tl.program_id(1)
    picture, region = mine // REGIONS, mine % REGIONS
    stride: tl.constexpr = REGIONS * 128
    rows_out: tl.constexpr = (H - 3) // 2 + 1
    columns_out: tl.constexpr = (W - 3) // 2 + 1
    channel = tl.arange(0, 128)
    column = region * 128 + channel
    m, scale = tl.load(mean + half * stride + column)[None], tl.load(rstd + half * stride + column)[None]
    first = tl.load(sums + half * stride + column)[None]
    second = tl.load(sums + 2 * stride + half * stride + column)[None]
    for start in range(0, H * W, ROWS):
        position = start + tl.arange(0, ROWS)
        within = position < H * W
        d = tl.zeros((ROWS, 128), tl.float32)
        for i in tl.static_range(2):
            for j in tl.static_range(2):
                top, left = position // W // 2 - i, position % W // 2 - j
                down, across = position // W - 2 * top, position % W - 2 * left
                inside = within & (top >= 0) & (top < rows_out) & (down < 3)
                inside = inside & (left >= 0) & (left < columns_out) & (across < 3)
                window = (mine * rows_out + top) * columns_out + left
                where = window[:, None] * 256 + (half * 128 + channel)[None]
                chosen = tl.load(at + where, inside[:, None], 9).to(tl.int32)
                sent = tl.load(d_out + where, inside[:, None], 0.0).to(tl.float32)
                d += tl.where(chosen == (down * 3 + across)[:, None], sent, 0.0)
        if PSE:
            d = d * tl.load(s + mine * H * W + position, within, 0.0)[:, None]
            d += tl.load(dz + mine * H * W + position, within, 0.0)[:, None]
        where = (picture * H * W + position)[:, None] * stride + column[None]
        if half == 0:
            x = (tl.load(y0 + where, within[:, None], 0.0).to(tl.float32) - m) * scale
            d = (tl.where(x > 0, d, 0.0) - first - x * second) * scale
            tl.store(d_y0 + where, d.to(d_y0.dtype.element_ty), within[:, None])
        else:
            x = (tl.load(y1 + where, within[:, None], 0.0).to(tl.float32) - m) * scale
            d = (tl.where(x > 0, d, 0.0) - first - x * second) * scale
            tl.store(d_y1 + where, d.to(d_y1.dtype.element_ty), within[:, None])
