"""Attributes of one's own, and many cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from documents import RESULTS

OWN_LABELS = RESULTS / "own-data" / "own-labels.json"
SHARDING = RESULTS / "own-data" / "sharding.json"


def own_labels(result: Path = OWN_LABELS) -> str:
    """Return the worked example of learning five attributes that training had left out."""
    found = json.loads(result.read_text(encoding="utf-8"))
    names = ", ".join(name.replace("_", " ") for name in found["attributes"])
    test = found["test"]
    lines = [
        f"Five attributes of CelebA ({names}) were left out of a training on the other 35, then learnt with the recipe "
        "`finetune` from random draws of so many labelled faces "
        f"({max(found['draws'].values())} draws of each size, {min(found['draws'].values())} of the largest), of which "
        f"{found['validation_share']:.0%} chose thresholds. Beside it a logistic regression on the pooled features of "
        "the plain ImageNet network, given the same faces. Means over the five in percent on "
        f"{test['images']:,} test faces of {test['people']} other people, with 95 % intervals over resampled people; "
        f"always the commoner answer has {found['majority_accuracy']:.1f} % accuracy.",
        "",
        "| labelled faces | accuracy | linear probe | average precision | linear probe | time |",
        "|---|---|---|---|---|---|",
    ]
    for size, row in found["rows"].items():
        cells = [
            _with_interval(row[way][score])
            for score in ("accuracy", "average_precision")
            for way in ("finetune", "probe")
        ]
        lines.append(f"| {int(size):,} | {' | '.join(cells)} | {row['finetune']['seconds'] / 60:.1f} min |")
    lines += ["", f"Time is of training, on {found['device']}, {found['threads']} threads, other work beside it."]
    return "\n".join(lines) + "\n"


def _with_interval(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['mean']:.1f} ({low:.1f} to {high:.1f})"


def sharding(result: Path = SHARDING) -> str:
    """Return what sharing a batch costs: measured here, and on paper."""
    found = json.loads(result.read_text(encoding="utf-8"))
    measured = found["measured"]
    one, two = (measured["processes"][key] for key in ("1", "2"))
    lines = [
        f"Measured ({found['device']}, {found['cores']} cores, one thread a process, {measured['network']}, "
        f"{measured['images_a_process']} images a process and step): a step takes {one['step_seconds']:.2f} s with one "
        f"process and {two['step_seconds']:.2f} s with two, which do twice the images; summing the gradient alone "
        f"takes {1e3 * two['sum_seconds']:.0f} ms. No more than that has been run.",
        "",
        "On paper, a ring moves 2 (n - 1) / n of the gradient through each card. It stays hidden behind the backward "
        "pass as long as a card, at 256 images a step, takes no more images a second than the last column says. Link "
        "speeds are data sheets'. Each BatchNorm adds two small sums a step, whose latency is not in the table.",
        "",
        "| network | gradient | cards | summing | hidden up to |",
        "|---|---|---|---|---|",
    ]
    for network, paper in found["on_paper"].items():
        for link, cost in paper.items():
            if isinstance(cost, dict):
                lines.append(
                    f"| {network} | {paper['gradient_bytes'] / 1e6:.1f} MB | {link} | {cost['milliseconds']:.2f} ms | "
                    f"{cost['hidden_up_to_images_a_second_and_card_at_256_a_step']:,} images/s |"
                )
    return "\n".join(lines) + "\n"
