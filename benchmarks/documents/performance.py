"""Speed: the forms tried on one H100, this package on a processor, the way of the data, and cost against work."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from documents import RESULTS
from facelocus.model import Model

BENCH = RESULTS / "bench"

#: Kind of a kernel -> what its name has; the first that fits.
KINDS = {
    "the same of the sub-networks, with PSE": "pse_pool",
    "frames to blocks": "^_blocks",
    "BatchNorm, ReLU, pooling": "^_norm_relu|^_sums|^_moments|^_reduce$|batch_?norm|max_pool|clamp|threshold",
    "convolutions": "xmma|cudnn|cask",
    "hidden layer and logits": "nvjet|gemm|cutlass",
    "optimiser, casts, copies, elementwise": "",
}


def records(folder: Path = BENCH, **wanted: str) -> list[dict[str, Any]]:
    """Return the records whose fields are as wanted."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    return [record for record in found if all(record.get(key) == value for key, value in wanted.items())]


def h100(folder: Path = BENCH) -> str:
    """Return every form of the training step, fastest first, a table a GPU; and what `facelocus bench` found on one."""
    forms = [form for form in records(folder, what="training_step", device="cuda") if "form" in form]
    tables = [_forms(name, forms, folder) for name in sorted({form["device_name"] for form in forms})]
    asked = _asked(folder, "cuda")
    if asked:
        tables.append("\n".join(["`facelocus bench` on a GPU:", "", *_rates(asked)]) + "\n")
    return "\n".join(tables)


def _forms(name: str, forms: list[dict[str, Any]], folder: Path) -> str:
    """Return the forms that were tried on the GPU of a name."""
    forms = [form for form in forms if form["device_name"] == name]
    (ceilings,) = records(folder, what="ceilings", device_name=name)
    first = forms[0]
    matrix, memory = ceilings["flops_a_second"] / 1e12, ceilings["bytes_a_second"] / 1e12
    flops, least = first["flops_an_image"] / 1e9, first["least_bytes_an_image"] / 1e6
    lines = [
        f"{name}, torch {first['torch']}, batch {first['batch']}; measured {matrix:.0f} TFLOP/s and "
        f"{memory:.2f} TB/s; a step has {flops:.2f} GFLOP and moves {least:.1f} MB an image at least.",
        "",
        "| form | images a second | of the arithmetic limit | PSE, microseconds an image |",
        "|---|---|---|---|",
    ]
    for form in sorted(forms, key=lambda form: -form["images_per_second"]):
        pse = share = "not measured"
        if "pse_share" in form:
            pse = f"{form['pse_microseconds_an_image']:.1f} ({100 * form['pse_share']:.0f} %)"
        if form["share_of_arithmetic_limit"] is not None:
            share = f"{100 * form['share_of_arithmetic_limit']:.1f} %"
        held = " *" if any("already free" in note for note in form["notes"]) else ""
        lines.append(f"| {form['form']}{held} | {form['images_per_second']:,.0f} | {share} | {pse} |")
    return "\n".join(lines) + "\n"


#: Column of the table of kernels -> the variant whose profile it has.
_PROFILED = {"package": "ours_eager", "best form": "best"}


def h100_kernels(folder: Path = BENCH) -> str:
    """Return the microseconds an image by kind of kernel, a table a GPU."""
    profiles = records(folder, what="profile")
    names = sorted({profile["device_name"] for profile in profiles})
    tables = [_kernels(name, profiles, folder) for name in names]
    if len(tables) > 1:
        tables = [f"{name}:\n\n{table}" for name, table in zip(names, tables, strict=True)]
    return "\n".join(tables)


def _kernels(name: str, profiles: list[dict[str, Any]], folder: Path) -> str:
    """Return the kinds of kernels on the GPU of a name, beside the prediction if there is one."""
    found = {profile["variant"]: by_kind(profile) for profile in profiles if profile["device_name"] == name}
    columns = {title: found[variant] for title, variant in _PROFILED.items() if variant in found}
    for prediction in records(folder, what="prediction", device_name=name):
        columns["predicted"] = prediction["microseconds_an_image"]
    lines = [f"| microseconds an image | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for kind in columns.get("predicted", KINDS):
        lines.append(f"| {kind} | {' | '.join(f'{column[kind]:.1f}' for column in columns.values())} |")
    lines.append(f"| all kernels | {' | '.join(f'{sum(column.values()):.1f}' for column in columns.values())} |")
    return "\n".join(lines) + "\n"


def by_kind(profile: dict[str, Any]) -> dict[str, float]:
    """Return the microseconds an image of a profile's kernels by kind; kernels too short to be listed are copies."""
    found = dict.fromkeys(KINDS, 0.0)
    for kernel in profile["kernels"]:
        kind = next(kind for kind, pattern in KINDS.items() if re.search(pattern, kernel["kernel"]))
        found[kind] += kernel["microseconds_an_image"]
    found["optimiser, casts, copies, elementwise"] += profile["microseconds_an_image"] - sum(found.values())
    return found


def processor(folder: Path = BENCH) -> str:
    """Return what `facelocus bench` found on a processor, or that it has not been asked."""
    found = _asked(folder, "cpu")
    if not found:
        return "Not yet measured on a machine that does nothing else; the commands above do it.\n"
    return "\n".join(_rates(found)) + "\n"


def _asked(folder: Path, device: str) -> list[dict[str, Any]]:
    """Return the records of `facelocus bench` on a device; no other has a reference's rate beside its own."""
    return [record for record in records(folder, device=device) if "times_the_reference" in record]


def _rates(found: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a table of such records."""
    lines = [
        "| | images a second | quartiles | times the reference | one that keeps memory | of the arithmetic limit | "
        "attention |",
        "|---|---|---|---|---|---|---|",
    ]
    for record in found:
        what = f"`{record['recipe']}`, a step" if "recipe" in record else f"model file `{record['model']}`"
        rate, low, high = map(_three_digits, [record["images_per_second"], *record["images_per_second_quartiles"]])
        where = f"{record['threads']} threads of {record['device_name']}"
        if record["device"] != "cpu":
            where = record["device_name"]
        share, attention = (record.get(key) for key in ("share_of_arithmetic_limit", "pse_share"))
        lines.append(
            f"| {what}, {record['precision']}, batch {record['batch']}, {where} | {rate} | {low} to {high} | "
            f"{record['times_the_reference']:.2f} | {_two_places(record.get('times_the_reference_keeping_memory'))} | "
            f"{'' if share is None else f'{100 * share:.0f} %'} | "
            f"{'' if attention is None else f'{100 * attention:.1f} %'} |"
        )
    return lines


def equal(folder: Path = BENCH) -> str:
    """Return to what accuracy both forms train, and what seeds differ by."""
    (record,) = records(folder, what="equal_training")
    ours, reference = (", ".join(f"{value:.2f}" for value in record[side]) for side in ("ours", "reference"))
    height, width = record["size"]
    return (
        f"After {record['iterations']} steps of {record['batch']} faces at {height} x {width}, seed by seed, right "
        f"answers on test faces in percent: ours {ours}, the reference {reference}. Ours less the reference is "
        f"{record['mean_difference']:+.3f} points on average; seeds alone differ by "
        f"{record['standard_deviation_over_seeds']:.3f} (standard deviation).\n"
    )


def _three_digits(number: float) -> str:
    return f"{float(f'{number:.3g}'):,g}"


def _two_places(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def waiting(folder: Path = BENCH) -> str:
    """Return how fast data come beside what they come to."""
    lines = ["| | images a second | beside it | | on |", "|---|---|---|---|---|"]
    for pack in records(folder, what="pack"):
        disk, place = pack["disk_megabytes_per_second"], "a disk"
        share = pack["images_per_second"] / pack["reference_images_per_second"]  # the record's own is rounded already
        if pack["file_system"] == "tmpfs":
            place = "memory"
        lines.append(
            f"| official JPEG to a Pack, {pack['images']:,} into {place} | {pack['images_per_second']:,.0f} | decoding "
            f"alone: {pack['reference_images_per_second']:,.0f} | {share:.2f} of it; writing "
            f"{disk['packing']:,.0f} MB/s, of {disk['writing_alone']:,.0f} alone | {_cores(pack)} |"
        )
    for training in records(folder, what="training_data"):
        run = training["runs"]["all memory"]
        wait = run["wait_milliseconds"]
        lines.append(
            f"| Pack to the training step, batch {training['batch']}, {training['precision']} | "
            f"{run['images_per_second']:,.0f} | batches alone: {run['batches_alone_images_per_second']:,.0f} | waits "
            f"{100 * wait['share_of_time']:.2f} % of the time for its batch, at most {wait['slowest']:.1f} ms a step; "
            f"random changes: {100 * run['random_changes_share_of_time']:.1f} % | "
            f"{_cores(training)} |"
        )
    files = [record for record in records(folder, what="files_to_scores") if record.get("aligned")]
    for scores in files:
        lines.append(
            f"| aligned JPEG files to 40 scores | {scores['images_per_second']:,.0f} | decoding alone: "
            f"{scores['decode_images_per_second']:,.0f}, network alone: {scores['network_images_per_second']:,.0f}, "
            f"qualities alone: {scores['quality_images_per_second']:,.0f}, file after file: "
            f"{scores['reference_images_per_second']:,.0f} | {scores['share_of_the_slower']:.2f} of the slower | "
            f"{_cores(scores)} |"
        )
    return "\n".join(lines) + "\n"


def _cores(record: dict[str, Any]) -> str:
    return f"{record['cores']} cores of {record['device_name']}"


def cost(folder: Path = BENCH) -> str:
    """Return the exponents of every line of the records of cost against work, where, and of which weights."""
    found = records(folder, what="cost")
    (place,) = {_cores(record) for record in found}  # what another machine takes does not stand beside it
    shipped = Model.load("default").sha256
    before = [record["axis"] for record in found if record.get("model", shipped) != shipped]
    earlier = f"; by {' and by '.join(before)}, of weights `default` that shipped before today's" if before else ""
    table = [
        f"On {place}{earlier}:",
        "",
        "| work | line | from | to | time, exponent | over its end | memory, exponent | over its end | most memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for record in found:
        memory = {line["line"]: line for line in record["lines"] if line["cost"] == "bytes"}
        for line in (line for line in record["lines"] if line["cost"] == "seconds"):
            (first, soonest), (last, longest) = line["points"][0], line["points"][-1]
            added = memory.get(line["line"])
            held = "| | |"
            if added is not None:
                most = max(peak for _, peak in added["points"]) / 1e9
                held = f"{added['exponent']:.2f} | {added['exponent_at_the_end']:.2f} | {most:.2f} GB |"
            table.append(
                f"| {record['axis']} | {line['line']} | {_spent(soonest)} at {first:,} | "
                f"{_spent(longest)} at {last:,} | {line['exponent']:.2f} | {line['exponent_at_the_end']:.2f} | {held}"
            )
    return "\n".join(table) + "\n"


def _spent(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
