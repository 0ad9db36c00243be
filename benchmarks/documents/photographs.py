"""Photographs: how well faces are found, how far to trust them, how fast."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS
from facelocus.photos.rows import COLUMNS, NUMBER

_PHOTOGRAPHS = RESULTS / "photographs"
DETECTION = _PHOTOGRAPHS / "detection.json"
REGISTRATION = _PHOTOGRAPHS / "registration.json"
SPEED = _PHOTOGRAPHS / "speed.json"
RUNTIMES = _PHOTOGRAPHS / "runtimes.json"
QUALITY = _PHOTOGRAPHS / "quality.json"

_CONFIDENCE = "the model's confidence"


def found(detection: Path = DETECTION, registration: Path = REGISTRATION) -> str:
    """Return how often faces are found, and how near our crop is to the official one."""
    seen, near = (json.loads(path.read_text(encoding="utf-8")) for path in (detection, registration))
    photographs, lfw = seen["labelled face, photographs"], seen["centre face, LFW"]
    small = seen["by size of the face, longer side in pixels"]["photographs"]["24"]["percent"]
    leaning = min(rolls[degrees]["percent"] for rolls in seen["by roll, degrees"].values() for degrees in ("-30", "30"))
    empty, corners = seen["without faces"], near["registration"]
    middle, far = corners["error at the corners, median"], corners["error at the corners, 90th percentile"]
    official, ours = (near["accuracy"][side]["accuracy"][0] for side in ("official crop", "photograph"))
    return (
        f"The labelled face is found in {photographs['registered, correlation of 0.9 or more']} of "
        f"{photographs['photographs']} photographs, the one in the middle in {lfw['centre face found']:,} of "
        f"{lfw['photographs']:,} of LFW; faces of 24 pixels in {small:.1f} %, faces leaning by 30 degrees in at least "
        f"{leaning:.1f} %. "
        f"Of {empty['pictures']} pictures without faces {len(empty['pictures with a box'])} have a box. Our crop's "
        f"corners lie {middle:.1f} pixels (median) from those of CelebA's own crop of the same photograph, in nine of "
        f"ten under {far:.1f}; accuracy is {ours:.2f} % there and {official:.2f} % on CelebA's own.\n"
    )


def quality(result: Path = QUALITY) -> str:
    """Return how accuracy goes with trust, and where it does not."""
    found = json.loads(result.read_text(encoding="utf-8"))
    copies, photographs = found["test faces and copies"], found["photographs"]
    worst, *_, best = copies["by trust, 10 equal groups from the worst"]
    all_of_them, without = (copies["worst left out, percent"][share] for share in ("0", "20"))
    related = photographs["correlation with accuracy, by face"]
    by_trust = round(related["trust"], 2) + 0.0  # -0.0 + 0.0 is 0.0
    lines = [
        f"On {copies['faces']:,} test faces of {copies['people']} people, two thirds of them copies damaged in known "
        f"ways: of the tenth with the least trust (mean {worst['trust']:.2f}) {worst['accuracy'][0]:.1f} % of the "
        f"answers are right, of the tenth with the most ({best['trust']:.2f}) {best['accuracy'][0]:.1f} %; always the "
        f"commonest answer is right in {found['accuracy of the commonest answers']:.1f} %. Without the worst fifth by "
        f"trust accuracy is {without['accuracy'][0]:.2f} instead of {all_of_them['accuracy'][0]:.2f} %, without the "
        f"fifth of which the model itself is least sure {without[f'by {_CONFIDENCE}'][0]:.2f} %.",
        "",
        "It tells damaged pictures from sound ones and nothing more: on "
        f"{photographs['faces']} sound photographs it does not go with accuracy (correlation "
        f"{by_trust:.2f}; the model's confidence {related[_CONFIDENCE]:.2f}). *Kept* is what "
        "trust should be: 1 where as much is right as on the undamaged crops, 0 where no more than the commonest "
        "answers. It does not see compression.",
        "",
        "| damage | faces | accuracy | kept | trust |",
        "|---|---|---|---|---|",
    ]
    for kind, row in found["by kind"].items():
        cells = f"{row['faces']:,} | {row['accuracy'][0]:.1f} | {row['kept']:.2f} | {row['trust']:.2f}"
        lines.append(f"| {kind} | {cells} |")
    return "\n".join(lines) + "\n"


def speed(result: Path = SPEED, runtimes: Path = RUNTIMES) -> str:
    """Return photographs a second by size, beside the naive form, and what limits aligned crops."""
    found, tried = (json.loads(path.read_text(encoding="utf-8")) for path in (result, runtimes))
    lines = [
        f"On {found['cores']} cores ({found['device_name']}), a second, medians of {found['rounds']} rounds in turn; "
        "*naive* is one picture at a time through each step; the shares are of one thread's time:",
        "",
        "| photographs | a second | naive | read | detect | align | predict |",
        "|---|---|---|---|---|---|---|",
    ]
    for size, row in found["sizes"].items():
        rates = (row[key]["median"] for key in ("photographs_per_second", "reference_photographs_per_second"))
        shares = (row["parts, share"].get(part) for part in ("read", "detect", "align", "predict"))
        cells = [f"{rate:.0f}" for rate in rates] + ["" if share is None else f"{share:.0%}" for share in shares]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    least = tried["milliseconds a face at that speed"]
    ours, other = (tried["sides"][f"{name}, 1 at once"]["milliseconds"][0] for name in ("onnxruntime", "openvino f32"))
    lines += [
        "",
        f"The network takes {ours:.1f} ms a face on one thread; OpenVINO {other:.1f} ms at equal answers, and its "
        f"{tried['operations a face'] / 1e9:.2f} billion operations {least:.1f} ms "
        "at the speed of a large product of matrices. The network of the strongest open model of these attributes, a "
        f"ViT-B/16, takes {found['vit_b_16 at 224, ms a face']['median']:.0f} ms on all cores, its way forward alone.",
    ]
    return "\n".join(lines) + "\n"


def columns() -> str:
    """Return the columns of a table of faces."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for name, (kind, meaning) in COLUMNS.items():
        if name == "model":
            lines.append(f"| each attribute by its name | {NUMBER} | its probability, 0 to 1 |")
        lines.append(f"| {name} | {kind} | {meaning} |")
    return "\n".join(lines) + "\n"
