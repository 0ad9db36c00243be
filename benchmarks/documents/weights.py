"""The shipped weights: how good they are, how they were made, attribute by attribute."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from documents import RESULTS
from facelocus.attributes import CELEBA, MEANINGS
from facelocus.model import Model

EVALUATION = RESULTS / "weights" / "default.json"
RECORD = RESULTS / "weights" / "student" / "record.json"
SHIPPED = ("default", "tiny")
AGREEMENT = RESULTS / "data" / "agreement.json"

_ROWS = {
    "mean_accuracy": "accuracy",
    "mean_balanced_accuracy": "balanced accuracy",
    "mean_f1": "F1",
    "mean_average_precision": "average precision",
}


def numbers(evaluation: Path = EVALUATION, record: Path = RECORD) -> str:
    """Return the table as Markdown, from an evaluation and the record of the run."""
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    people = f" of {report['people']:,} people" if report["people"] else ""
    lines = [
        f"On {report['images']:,} faces{people} ({report['data']['description']}; {report['split']} split), "
        f"means over {len(report['attributes'])} attributes in percent, with 95 % intervals over "
        f"resampled {report['bootstrap']['over']}:",
        "",
        "| | mean | interval |",
        "|---|---|---|",
    ]
    for key, title in _ROWS.items():
        low, high = report["intervals"][key]
        lines.append(f"| {title} | {report[key]:.2f} | {low:.2f} to {high:.2f} |")
    errors = report["calibration"]
    lines += [
        "",
        f"Probabilities are off by {errors['mean_error']:.1f} points (expected calibration error; right ones would "
        f"show {errors['mean_chance']:.1f} by chance). {_extremes(report['attributes'])} {_run(record)}",
    ]
    return "\n".join(lines) + "\n"


def _extremes(attributes: dict[str, Any]) -> str:
    """Say where it is good and where it is not, by balanced accuracy: plain accuracy flatters rare attributes."""
    ranked = sorted(attributes, key=lambda name: attributes[name]["balanced_accuracy"], reverse=True)
    best, worst = (
        ", ".join(f"{name.replace('_', ' ')} {attributes[name]['balanced_accuracy']:.0f}" for name in names)
        for names in (ranked[:3], ranked[:-4:-1])
    )
    return f"Best by balanced accuracy: {best}. Worst: {worst}."


def _run(record: Path) -> str:
    """Say how the weights were made, run after run, and what else was trained for them."""
    run = json.loads(record.read_text(encoding="utf-8"))
    chain = _chain(run)
    others: list[dict[str, Any]] = []
    for teacher in (teacher for link in chain for teacher in link.get("teachers", [])):
        if teacher not in [*chain, *others]:
            others.append(teacher)
    taught = f" Beside the labels they learnt from a network of {' and one of '.join(map(_told, others))}."
    return (
        f"Trained on {run['data']['training_images']:,} faces by the recipe {_told(run)}, {run['threads']} threads, "
        f"other work beside it.{taught if others else ''}"
    )


def _told(run: dict[str, Any]) -> str:
    """Return the recipes behind a run, what each took, and on which processors."""
    chain = _chain(run)
    links = ", then ".join(f"`{link['recipe']}` ({link['seconds'] / 60:.0f} minutes)" for link in chain)
    return f"{links}, on {' and '.join(dict.fromkeys(link['device'] for link in chain))}"


def _chain(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs that a run goes on from, the first one first, and itself."""
    before = run.get("from")
    return [*(_chain(before) if before else []), run]


def sizes(weights: Path = RESULTS / "weights", bench: Path = RESULTS / "bench") -> str:
    """Return the shipped files side by side: size, time, and how good each is."""
    evaluations = {name: json.loads((weights / f"{name}.json").read_text(encoding="utf-8")) for name in SHIPPED}
    times = {
        name: [json.loads(file.read_text("utf-8")) for file in sorted(bench.glob(f"inference_{name}_cpu_*.json"))]
        for name in SHIPPED
    }
    models = {name: Model.load(name) for name in SHIPPED}
    for name, model in models.items():
        if {record["sha256"] for record in (evaluations[name]["model"], *times[name])} != {model.sha256}:
            raise ValueError(f"a record of {name} is of other weights than those that ship: measure it again")
    # Times of different machines would not stand side by side.
    shared = set.intersection(*({time["device_name"] for time in several} for several in times.values()))
    times = {name: [time for time in several if time["device_name"] in shared] for name, several in times.items()}
    (faces,) = {(report["images"], report["data"]["fingerprint"]) for report in evaluations.values()}
    (devices,) = {tuple(time["device_name"] for time in several) for several in times.values()}
    ((threads, batch),) = {(time["threads"], time["batch"]) for several in times.values() for time in several}
    lines = [
        f"Milliseconds are a face's, {batch} at a time, on {threads} cores of {' and of '.join(devices)}; percents "
        f"with 95 % intervals, of the same {faces[0]:,} test faces:",
        "",
        "| | MB | milliseconds | accuracy | balanced accuracy | average precision | probabilities off by (by chance) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, report in evaluations.items():
        file, errors = models[name].path, report["calibration"]
        milliseconds = " and ".join(f"{1000 / time['images_per_second']:.1f}" for time in times[name])
        lines.append(
            f"| `{name}` | {file.stat().st_size / 1e6:.1f} | {milliseconds} | "
            f"{_with_bounds(report, 'mean_accuracy')} | {_with_bounds(report, 'mean_balanced_accuracy')} | "
            f"{_with_bounds(report, 'mean_average_precision')} | {errors['mean_error']:.2f} "
            f"({errors['mean_chance']:.2f}) |"
        )
    return "\n".join(lines) + "\n"


def _with_bounds(report: dict[str, Any], key: str) -> str:
    low, high = report["intervals"][key]
    return f"{report[key]:.2f} ({low:.2f} to {high:.2f})"


def identity(evaluation: Path = EVALUATION, record: Path = RECORD) -> str:
    """Return what tells the shipped file from others, and what it is made of."""
    model = Model.load(json.loads(evaluation.read_text(encoding="utf-8"))["model"]["name"])
    file, golden = model.path, model.path.with_suffix(".golden.npz")
    spec, data = model.metadata["network"], json.loads(record.read_text(encoding="utf-8"))["data"]
    rows = {
        "file": f"`{file.name}`, {file.stat().st_size / 1e6:.1f} MB, one network",
        "sha256": f"`{model.sha256}`",
        "its golden answers": f"`{golden.name}`, `{sha256(golden.read_bytes()).hexdigest()}`",
        "trunk, module": f"`{spec['trunk']}`, `{spec['attention']}`, {spec['size'][0]} x {spec['size'][1]} pixels"
        + (", and their mirror image" if spec.get("flip") else ""),
        "input": "an aligned face, 218 x 178 x 3, 8 bits a value",
        "output": f"{len(model.attributes)} calibrated probabilities, {len(model.attributes.regions)} masks",
        "learnt from": f"{data['training_images']:,} faces of {data['description']}",
        "terms": str(model.metadata["licence"]),
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]) + "\n"


def calibration(evaluation: Path = EVALUATION) -> str:
    """Return how far probabilities are off, and of which attributes most."""
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    errors = report["calibration"]
    worst = sorted(errors["attributes"].items(), key=lambda item: item[1]["error"] - item[1]["chance"], reverse=True)
    named = ", ".join(f"{_words(name)} {row['error']:.1f} ({row['chance']:.1f})" for name, row in worst[:5])
    return (
        f"Expected calibration error, the mean over attributes in {errors['bins']} bins: "
        f"{errors['mean_error_before']:.1f} points as trained, **{errors['mean_error']:.1f}** as shipped, "
        f"{errors['mean_chance']:.1f} by chance, which right probabilities would show on as many faces. Furthest from "
        f"chance, which is in brackets: {named}.\n"
    )


def groups(evaluation: Path = EVALUATION) -> str:
    """Return the gaps between groups of faces, the widest first."""
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    lines = [
        f"The shipped weights on the {report['images']:,} faces of the README's table, in points, with 95 % intervals "
        "over people; the attribute is the one that differs most among those that differ beyond their interval:",
        "",
        "| better | worse | balanced accuracy | attribute |",
        "|---|---|---|---|",
    ]
    for comparison in report["groups"].values():
        gap = comparison["gap"]
        sign = 1 if gap["mean_balanced_accuracy"] >= 0 else -1
        better, worse = gap["between"][::sign]
        low, high = sorted(sign * bound for bound in gap["intervals"]["mean_balanced_accuracy"])
        sure = [row for row in comparison["widest"] if row["interval"][0] * row["interval"][1] > 0]
        named = "-"
        if sure:
            most = max(sure, key=lambda row: abs(row["gap"]))
            named = f"{_words(most['attribute'])}, {most[better]:.0f} and {most[worse]:.0f}"
        apart = f"{sign * gap['mean_balanced_accuracy']:.1f} ({low:.1f} to {high:.1f})"
        lines.append(f"| {_words(better)} | {_words(worse)} | {apart} | {named} |")
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ")


def attributes(agreement: Path = AGREEMENT, evaluation: Path = EVALUATION) -> str:
    """Return what each attribute means, how far its labels agree and how well it is predicted, region by region."""
    agreed = json.loads(agreement.read_text(encoding="utf-8"))
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    (data,) = {agreed["data"], report["data"]["description"]}
    lines = [
        f"*Yes* is how often it is labelled in {agreed['pictures']:,} pictures of {agreed['people']:,} people "
        f"({data}, all of its splits), every person counting once. *One person*: how often two pictures of one "
        "person have one label; *anybody*: two pictures of anybody. *Accuracy* and *balanced* are of the shipped "
        f"weights on the {report['split']} faces of the same data alone, {report['images']:,}; all in percent.",
    ]
    for region in CELEBA.regions:
        lines += [
            "",
            f"### {region.capitalize()}",
            "",
            "| attribute | what was ticked | yes | one person | anybody | accuracy | balanced |",
            "|---|---|---|---|---|---|---|",
        ]
        for name in CELEBA.in_region(region):
            labels, score = agreed["attributes"][name], report["attributes"][name]
            lines.append(
                f"| {name} | {MEANINGS[name]} | {labels['yes']:.0f} | {labels['within']:.0f} | {labels['anybody']:.0f} "
                f"| {score['accuracy']:.1f} | {score['balanced_accuracy']:.1f} |"
            )
    return "\n".join(lines) + "\n"
