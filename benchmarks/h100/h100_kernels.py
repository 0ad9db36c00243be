# ruff: noqa: N803 - constants of a kernel are written as Triton's own are
"""Triton kernels of a training step, by themselves: sums over channels, BatchNorm + ReLU + pooling, frames to blocks.

Tensors are rows x channels views of channels-last memory, 16 or 32 bits; all arithmetic is float32. BatchNorm here is
the one without scale and shift, so that after ReLU the output is itself the normalised value wherever it is not 0:
both sums of its backward pass are read off what left the layer, not off what entered it.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

PARTS = 264  # programs a sum is spread over: two for each multiprocessor of an H100


@triton.jit
def _sums(a, b, out, rows, stride_a, stride_b, width, BACK: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr):
    """Partial sums over rows, out[part, 0 or 1, channel]: a and a * a; BACK: of a where b > 0, and a * b."""
    part, parts = tl.program_id(0), tl.num_programs(0)
    column = tl.program_id(1) * COLS + tl.arange(0, COLS)
    first = tl.zeros((ROWS, COLS), tl.float32)
    second = tl.zeros((ROWS, COLS), tl.float32)
    for start in range(part * ROWS, rows, parts * ROWS):
        row = start + tl.arange(0, ROWS)
        there = (row < rows)[:, None]
        x = tl.load(a + row[:, None] * stride_a + column[None], there, 0.0).to(tl.float32)
        if BACK:
            y = tl.load(b + row[:, None] * stride_b + column[None], there, 0.0).to(tl.float32)
            first += tl.where(y > 0, x, 0.0)
            second += x * y
        else:
            first += x
            second += x * x
    tl.store(out + part * 2 * width + column, tl.sum(first, 0))
    tl.store(out + part * 2 * width + width + column, tl.sum(second, 0))


@triton.jit
def _moments(
    partial, mean, rstd, shift, running_mean, running_var, parts, rows, width, offset,
    EPS: tl.constexpr, MOMENTUM: tl.constexpr, SPAN: tl.constexpr, STEP: tl.constexpr,
    PARTS_: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """Sum the parts to mean and 1 / deviation; move the running statistics, whose channel c of ours is theirs at
    c // SPAN * STEP + offset + c % SPAN; shift is a constant that was left out of the rows."""
    column = tl.program_id(0) * COLS + tl.arange(0, COLS)
    part = tl.arange(0, PARTS_)
    first = tl.zeros((PARTS_, COLS), tl.float32)
    second = tl.zeros((PARTS_, COLS), tl.float32)
    for start in range(0, parts, PARTS_):
        at = (start + part)[:, None] * 2 * width + column[None]
        there = (start + part < parts)[:, None]
        first += tl.load(partial + at, there, 0.0)
        second += tl.load(partial + at + width, there, 0.0)
    m = tl.sum(first, 0) / rows
    v = tl.maximum(tl.sum(second, 0) / rows - m * m, 0.0)
    tl.store(mean + column, m)
    tl.store(rstd + column, 1 / tl.sqrt(v + EPS))
    theirs = column // SPAN * STEP + offset + column % SPAN
    old_mean, old_var = tl.load(running_mean + theirs), tl.load(running_var + theirs)
    tl.store(running_mean + theirs, old_mean + MOMENTUM * (m + tl.load(shift + theirs) - old_mean))
    tl.store(running_var + theirs, old_var + MOMENTUM * (v * rows / (rows - 1) - old_var))


@triton.jit
def _reduce(partial, out, parts, width, scale, PARTS_: tl.constexpr, COLS: tl.constexpr):
    """Sum parts x width over the parts, times scale."""
    column = tl.program_id(0) * COLS + tl.arange(0, COLS)
    part = tl.arange(0, PARTS_)
    total = tl.zeros((PARTS_, COLS), tl.float32)
    for start in range(0, parts, PARTS_):
        at = (start + part)[:, None] * width + column[None]
        total += tl.load(partial + at, ((start + part) < parts)[:, None] & (column < width)[None], 0.0)
    tl.store(out + column, tl.sum(total, 0) * scale, column < width)


@triton.jit
def _norm_relu(y, mean, rstd, out, rows, stride_y, stride_out, ROWS: tl.constexpr, COLS: tl.constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLS + tl.arange(0, COLS)
    there = (row < rows)[:, None]
    x = tl.load(y + row[:, None] * stride_y + column[None], there, 0.0).to(tl.float32)
    x = (x - tl.load(mean + column)[None]) * tl.load(rstd + column)[None]
    tl.store(out + row[:, None] * stride_out + column[None], tl.maximum(x, 0.0).to(out.dtype.element_ty), there)


@triton.jit
def _norm_relu_back(
    y, mean, rstd, sums, d_out, d_y, rows, stride_y, stride_out, width, ROWS: tl.constexpr, COLS: tl.constexpr
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLS + tl.arange(0, COLS)
    there = (row < rows)[:, None]
    scale = tl.load(rstd + column)[None]
    x = tl.load(y + row[:, None] * stride_y + column[None], there, 0.0).to(tl.float32)
    x = (x - tl.load(mean + column)[None]) * scale
    d = tl.load(d_out + row[:, None] * stride_out + column[None], there, 0.0).to(tl.float32)
    d = tl.where(x > 0, d, 0.0) - tl.load(sums + column)[None] - x * tl.load(sums + width + column)[None]
    tl.store(d_y + row[:, None] * stride_y + column[None], (d * scale).to(d_y.dtype.element_ty), there)


@triton.jit
def _norm_relu_pool(
    y, mean, rstd, out, at, height, width, stride_y, stride_out, stride_at,
    COLS_OUT: tl.constexpr, WIDE: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """One row of one picture's 3 x 3 maxima at stride 2; `at` says which of the nine was the largest."""
    rows_out = (height - 3) // 2 + 1
    picture, top = tl.program_id(0) // rows_out, tl.program_id(0) % rows_out
    column = tl.program_id(1) * COLS + tl.arange(0, COLS)
    left = tl.arange(0, WIDE)
    there = (left < COLS_OUT)[:, None]
    m, scale = tl.load(mean + column)[None], tl.load(rstd + column)[None]
    best = tl.full((WIDE, COLS), -1.0, tl.float32)
    which = tl.zeros((WIDE, COLS), tl.int32)
    for k in tl.static_range(9):
        row = (picture * height + 2 * top + k // 3) * width + 2 * left + k % 3
        x = tl.load(y + row[:, None] * stride_y + column[None], there, 0.0).to(tl.float32)
        x = tl.maximum((x - m) * scale, 0.0)
        which = tl.where(x > best, k, which)
        best = tl.maximum(x, best)
    row = tl.program_id(0) * COLS_OUT + left
    tl.store(out + row[:, None] * stride_out + column[None], best.to(out.dtype.element_ty), there)
    tl.store(at + row[:, None] * stride_at + column[None], which.to(tl.uint8), there)


@triton.jit
def _norm_relu_pool_back(
    y, mean, rstd, sums, d_out, at, d_y, height, width, stride_y, stride_out, stride_at, channels,
    COLS_OUT: tl.constexpr, WIDE: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """One row of one picture: what the windows over each position send back, through ReLU and BatchNorm."""
    rows_out = (height - 3) // 2 + 1
    picture, line = tl.program_id(0) // height, tl.program_id(0) % height
    column = tl.program_id(1) * COLS + tl.arange(0, COLS)
    place = tl.arange(0, WIDE)
    d = tl.zeros((WIDE, COLS), tl.float32)
    for i in tl.static_range(2):
        for j in tl.static_range(2):
            top, left = line // 2 - i, place // 2 - j
            down, across = line - 2 * top, place - 2 * left
            inside = (top >= 0) & (top < rows_out) & (down < 3)
            inside = inside & (left >= 0) & (left < COLS_OUT) & (across < 3)
            row = (picture * rows_out + top) * COLS_OUT + left
            chosen = tl.load(at + row[:, None] * stride_at + column[None], inside[:, None], 9)
            sent = tl.load(d_out + row[:, None] * stride_out + column[None], inside[:, None], 0.0).to(tl.float32)
            d += tl.where(chosen.to(tl.int32) == (down * 3 + across)[:, None], sent, 0.0)
    there = (place < width)[:, None]
    row = (picture * height + line) * width + place
    scale = tl.load(rstd + column)[None]
    x = tl.load(y + row[:, None] * stride_y + column[None], there, 0.0).to(tl.float32)
    x = (x - tl.load(mean + column)[None]) * scale
    d = tl.where(x > 0, d, 0.0) - tl.load(sums + column)[None] - x * tl.load(sums + channels + column)[None]
    tl.store(d_y + row[:, None] * stride_y + column[None], (d * scale).to(d_y.dtype.element_ty), there)


@triton.jit
def _blocks(
    frames, flip, rows_at, rows_by, columns_at, columns_by, out, partial,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Resized, mirrored frames in blocks of 4 x 4 x 3, as (pixel - 128) / 64, and the sums over each block channel.

    A resized pixel is at most two rows by two columns of the frame: *_at has the first, *_by both weights.
    """
    blocks: tl.constexpr = (SIDE + 3) // 4
    picture, chunk = tl.program_id(0), tl.program_id(1)
    across = chunk * WIDE + tl.arange(0, WIDE)
    channel = tl.arange(0, 64)
    dx, colour = channel // 3 % 4, channel % 3
    x = 4 * across[:, None] + dx[None]
    in_x = (x < SIDE) & (channel < 48)[None]
    mirrored = tl.load(flip + picture) != 0
    left = tl.load(columns_at + x, in_x, 0)
    by_left, by_right = tl.load(columns_by + 2 * x, in_x, 0.0), tl.load(columns_by + 2 * x + 1, in_x, 0.0)
    right = tl.minimum(left + 1, WIDTH - 1)
    left = tl.where(mirrored, WIDTH - 1 - left, left)
    right = tl.where(mirrored, WIDTH - 1 - right, right)
    first = tl.zeros((64,), tl.float32)
    second = tl.zeros((64,), tl.float32)
    for line in range(blocks):
        y = 4 * line + channel // 12
        in_y = (y < SIDE) & (channel < 48)
        top = tl.load(rows_at + y, in_y, 0)
        by_top, by_bottom = tl.load(rows_by + 2 * y, in_y, 0.0), tl.load(rows_by + 2 * y + 1, in_y, 0.0)
        bottom = tl.minimum(top + 1, HEIGHT - 1)
        here = in_x & in_y[None]
        upper = frames + ((picture * HEIGHT + top) * WIDTH * 3 + colour)[None]
        lower = frames + ((picture * HEIGHT + bottom) * WIDTH * 3 + colour)[None]
        a = tl.load(upper + 3 * left, here, 0).to(tl.float32) * by_left
        a += tl.load(upper + 3 * right, here, 0).to(tl.float32) * by_right
        b = tl.load(lower + 3 * left, here, 0).to(tl.float32) * by_left
        b += tl.load(lower + 3 * right, here, 0).to(tl.float32) * by_right
        value = tl.where(here, (a * by_top[None] + b * by_bottom[None] - 128) / 64, 0.0)
        first += tl.sum(value, 0)
        second += tl.sum(value * value, 0)
        block = (picture * blocks + line) * blocks + across
        where = (across < blocks)[:, None] & (channel < 48)[None]
        tl.store(out + block[:, None] * 48 + channel[None], value.to(out.dtype.element_ty), where)
    part = picture * tl.num_programs(1) + chunk
    tl.store(partial + part * 128 + channel, first)
    tl.store(partial + part * 128 + 64 + channel, second)


def column_block(width: int, most: int = 128) -> int:
    """Return the largest power of two up to `most` that divides a number of channels."""
    return min(width & -width, most)


def sums(a: Tensor, b: Tensor | None, parts: int = PARTS) -> Tensor:
    """Return the partial sums of `_sums` over rows: parts x 2 x C float32. a and b are N x C views."""
    rows, width = a.shape
    cols = column_block(width, 64)
    parts = min(parts, triton.cdiv(rows, 32))
    out = torch.empty((parts, 2, width), device=a.device)
    b_or_a = a if b is None else b
    _sums[(parts, width // cols)](
        a, b_or_a, out, rows, a.stride(0), b_or_a.stride(0), width, BACK=b is not None, ROWS=32, COLS=cols
    )
    return out


def reduce(partial: Tensor, scale: float) -> Tensor:
    """Return the sum over the first axis times a scale."""
    width = partial[0].numel()
    out = torch.empty(partial.shape[1:], device=partial.device)
    _reduce[(triton.cdiv(width, 32),)](partial, out, len(partial), width, scale, PARTS_=32, COLS=32)
    return out
