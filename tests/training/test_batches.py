"""Every row comes once an epoch, in an order that follows from seed and epoch alone."""

from __future__ import annotations

import numpy as np
import torch

from facelocus.data import Pack
from facelocus.training.batches import Batches, Order
from facelocus.training.world import World

CPU = torch.device("cpu")

ROWS = np.arange(100, 112)


def epoch(number: int, seed: int = 0, batch: int = 4) -> list[int]:
    steps = len(ROWS) // batch
    order = Order(ROWS, batch, seed)
    order.of_step(0)  # what was asked before changes nothing
    parts = [order.of_step(number * steps + at) for at in range(steps)]
    assert all(len(part) == batch for part in parts)
    return np.concatenate(parts).tolist()


def test_every_row_comes_once_an_epoch() -> None:
    for number in range(5):
        assert sorted(epoch(number)) == ROWS.tolist()


def test_the_order_differs_by_epoch_and_seed() -> None:
    orders = [epoch(number, seed) for number in range(4) for seed in range(3)]
    assert len({tuple(order) for order in orders}) == len(orders)
    assert epoch(2, 1) == epoch(2, 1)


def test_rows_that_fill_no_batch_are_left_out_in_turn() -> None:
    left_out = set()
    for number in range(20):
        seen = epoch(number, batch=5)  # 10 of 12
        assert len(set(seen)) == 10
        left_out |= set(ROWS.tolist()) - set(seen)
    assert left_out == set(ROWS.tolist())


def test_batches_are_the_packs_rows(pack: Pack) -> None:
    rows = pack.rows("train")
    for step, faces, labels in Batches(pack, rows, 6, seed=3, device=CPU, world=World()).steps(0, 7):
        expected = Order(rows, 6, 3).of_step(step)
        assert set(expected) <= set(rows)
        assert faces.dtype == torch.uint8 and labels.dtype == torch.int8
        np.testing.assert_array_equal(faces.numpy(), pack.frames(expected))
        np.testing.assert_array_equal(labels.numpy(), pack.labels[expected])


def test_starting_later_gives_the_same_batches(pack: Pack) -> None:
    batches = Batches(pack, pack.rows("train"), 6, seed=3, device=CPU, world=World())
    whole = list(batches.steps(0, 10))
    later = list(batches.steps(7, 10))
    assert [step for step, *_ in whole] == list(range(10))
    assert [step for step, *_ in later] == [7, 8, 9]
    for ours, theirs in zip(later, whole[7:], strict=True):
        assert torch.equal(ours[1], theirs[1]) and torch.equal(ours[2], theirs[2])
    assert list(batches.steps(5, 5)) == []


def test_processes_share_each_batch(pack: Pack) -> None:
    rows = pack.rows("train")
    whole = Batches(pack, rows, 6, seed=3, device=CPU, world=World())
    parts = [Batches(pack, rows, 6, seed=3, device=CPU, world=World(rank, 3)) for rank in range(3)]
    for ours, *theirs in zip(whole.steps(0, 8), *(part.steps(0, 8) for part in parts), strict=True):
        assert torch.equal(ours[1], torch.cat([their[1] for their in theirs]))
        assert torch.equal(ours[2], torch.cat([their[2] for their in theirs]))
