"""The documents' numbers, written from results/: nothing in them is typed by hand.

    python benchmarks/document_numbers.py

Each block stands between <!-- NAME --> and <!-- /NAME --> in its document.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facelocus.attributes import CELEBA, MEANINGS
from facelocus.photos.rows import COLUMNS, NUMBER

ROOT = Path(__file__).parent.parent
EVALUATION = ROOT / "results" / "weights" / "default.json"
RECORD = ROOT / "results" / "weights" / "soft" / "record.json"
AGREEMENT = ROOT / "results" / "data" / "agreement.json"
OWN_LABELS = ROOT / "results" / "own-data" / "own-labels.json"
LOCALISATION = ROOT / "results" / "localisation" / "default.json"
DETECTION = ROOT / "results" / "photographs" / "detection.json"
REGISTRATION = ROOT / "results" / "photographs" / "registration.json"
SPEED = ROOT / "results" / "photographs" / "speed.json"
RUNTIMES = ROOT / "results" / "photographs" / "runtimes.json"
QUALITY = ROOT / "results" / "photographs" / "quality.json"
SHARDING = ROOT / "results" / "own-data" / "sharding.json"

_CONFIDENCE = "the model's confidence"

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
    lines += ["", _extremes(report["attributes"]) + " " + _run(record)]
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
    """Say how the weights were made, run after run."""
    run = json.loads(record.read_text(encoding="utf-8"))
    chain = [run]
    while before := chain[0].get("from"):
        chain.insert(0, before)
    recipes = ", then ".join(f"`{link['recipe']}`" for link in chain)
    minutes = sum(link["seconds"] for link in chain) / 60
    devices = ", then ".join(dict.fromkeys(link["device"] for link in chain))
    return (
        f"Trained with the recipe {recipes} on {run['data']['training_images']:,} faces in {minutes:.0f} minutes "
        f"({devices}, {run['threads']} threads, other work beside it)."
    )


def own_labels(result: Path = OWN_LABELS) -> str:
    """Return the worked example of learning five attributes that training had left out."""
    found = json.loads(result.read_text(encoding="utf-8"))
    names = ", ".join(name.replace("_", " ") for name in found["attributes"])
    test = found["test"]
    lines = [
        f"Five attributes of CelebA ({names}) were left out of a training on the other 35, then learnt with the recipe "
        "`finetune` from random draws of so many labelled faces "
        f"({max(found['draws'].values())} each, of the most {min(found['draws'].values())}), of which "
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


def attributes(agreement: Path = AGREEMENT, evaluation: Path = EVALUATION) -> str:
    """Return what each attribute means, how far its labels agree and how well it is predicted, region by region."""
    agreed = json.loads(agreement.read_text(encoding="utf-8"))
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    lines = [
        f"*Yes* is how often it is labelled in {agreed['pictures']:,} pictures of {agreed['people']:,} people "
        f"({agreed['data']}), every person counting once. *One person*: how often two pictures of one person have one "
        "label; *anybody*: two pictures of anybody. *Accuracy* and *balanced* are of the shipped weights on "
        f"{report['images']:,} other faces, all in percent.",
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


def quality(result: Path = QUALITY) -> str:
    """Return how accuracy goes with trust, and where it does not."""
    found = json.loads(result.read_text(encoding="utf-8"))
    copies, photographs = found["test faces and copies"], found["photographs"]
    worst, *_, best = copies["by trust, 10 equal groups from the worst"]
    all_of_them, without = (copies["worst left out, percent"][share] for share in ("0", "20"))
    related = photographs["correlation with accuracy, by face"]
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
        f"{related['trust']:.2f}; the model's confidence {related[_CONFIDENCE]:.2f}). *Kept* is what trust should be: "
        "1 where as much is right as on the undamaged crops, 0 where no more than the commonest answers. It does not "
        "see compression.",
        "",
        "| damage | faces | accuracy | kept | trust |",
        "|---|---|---|---|---|",
    ]
    for kind, row in found["by kind"].items():
        cells = f"{row['faces']:,} | {row['accuracy'][0]:.1f} | {row['kept']:.2f} | {row['trust']:.2f}"
        lines.append(f"| {kind} | {cells} |")
    return "\n".join(lines) + "\n"


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
        f"{lfw['photographs']:,} of LFW; of 24 pixels {small:.1f} %, leaning by 30 degrees at least {leaning:.1f} %. "
        f"Of {empty['pictures']} pictures without faces {len(empty['pictures with a box'])} have a box. Our crop's "
        f"corners lie {middle:.1f} pixels (median) from those of CelebA's own crop of the same photograph, in nine of "
        f"ten under {far:.1f}; accuracy is {ours:.2f} % there and {official:.2f} % on CelebA's own.\n"
    )


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


def localisation(result: Path = LOCALISATION) -> str:
    """Return how far the shipped masks lie on their regions, and what is lost where they are hidden."""
    found = json.loads(result.read_text(encoding="utf-8"))
    hidden = found["faithfulness"]
    lines = [
        f"The shipped model on {found['faces']:,} {found['split']} faces of {found['people']} people, with 95 % intervals "
        "over people:",
        "",
        "| region | own | others | pointing | by chance |",
        "|---|---|---|---|---|",
    ]
    for name, row in {"all": found, **found["regions"]}.items():
        own, others, pointing = (_between(row[key]) for key in ("own", "others", "pointing"))
        lines.append(f"| {name} | {own} | {others} | {pointing} | {row['pointing by chance']:.2f} |")
    lines += [
        "",
        f"On {hidden['faces']} of them, right answers in percent with a fifth of the frame hidden, or shown alone; whole "
        f"it is {hidden['whole'][0]:.1f}:",
        "",
        "| the fifth where the mask is | hidden | shown alone |",
        "|---|---|---|",
    ]
    for order in ("highest", "lowest", "random"):
        cells = " | ".join(_between(hidden[f"{order} {kind}"], 1) for kind in ("hidden", "shown"))
        lines.append(f"| {'anywhere, at random' if order == 'random' else order} | {cells} |")
    return "\n".join(lines) + "\n"


def _between(estimate: list[float], digits: int = 2) -> str:
    mean, low, high = (f"{value:.{digits}f}" for value in estimate)
    return f"{mean} ({low} to {high})"


def example(name: str, language: str) -> str:
    """Return a file of examples/ as a block of code."""
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    return f"```{language}\n{text}```\n"


def columns() -> str:
    """Return the columns of a table of faces."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for name, (kind, meaning) in COLUMNS.items():
        if name == "model":
            lines.append(f"| each attribute by its name | {NUMBER} | its probability, 0 to 1 |")
        lines.append(f"| {name} | {kind} | {meaning} |")
    return "\n".join(lines) + "\n"


#: Document -> the blocks in it -> what writes each.
BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"numbers": numbers},
    "docs/attributes.md": {"attributes": attributes},
    "docs/product.md": {
        "python": lambda: example("model_file.py", "python"),
        "javascript": lambda: example("model_file.mjs", "javascript"),
    },
    "docs/photographs.md": {"columns": columns, "found": found, "quality": quality, "speed": speed},
    "docs/localisation.md": {"localisation": localisation},
    "docs/own-labels.md": {"own-labels": own_labels, "sharding": sharding},
}


def with_block(document: str, name: str, block: str) -> str:
    """Return a document's text with a block between its markers.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"there is no {begin.strip()} with its end")
    return f"{before}{begin}{block}{end}{after}"


def written(document: str) -> str:
    """Return a document as the results have it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for name, block in BLOCKS[document].items():
        text = with_block(text, name, block())
    return text


if __name__ == "__main__":
    for document in BLOCKS:
        (ROOT / document).write_text(written(document), encoding="utf-8")
