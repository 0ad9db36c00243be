"""The variants of h100.py, by the process that runs them, most valuable first."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from facelocus.attributes import CELEBA
from facelocus.bench.reference import PlainNetwork
from facelocus.recipes import load_recipe
from h100_forms import Form, to_channels_first
from h100_measure import (
    BATCH,
    BEST,
    CUDA,
    DEVICE,
    RECIPE,
    WORKER,
    Faces,
    Step,
    about,
    alone,
    attempt,
    attribute_losses,
    backends,
    captured,
    network_of,
    plain_logits,
    pse_cost,
    record_of,
    say,
    show,
    step_of,
    synchronize,
    timed,
    write,
)

BF16 = torch.bfloat16


def reference_step(faces: Faces, attention: str, bf16: bool = True) -> Step:
    module = PlainNetwork(network_of(attention)).train()
    if bf16:
        module.to(memory_format=torch.channels_last)
    return step_of(module, module, plain_logits(module, bf16, bf16), faces)


def ours_step(faces: Faces, attention: str, compiled: bool = False) -> Step:
    """The network as the package trains it."""
    network = network_of(attention)
    network.trunk.to(memory_format=torch.channels_last)
    logits = plain_logits(network, True, False)
    return step_of(network, network, torch.compile(logits, dynamic=False) if compiled else logits, faces)


def form_step(faces: Faces, attention: str, ways: frozenset[str]) -> Step:
    form = Form(network_of(attention), ways, BF16).train()
    form.network.trunk.to(memory_format=torch.channels_last)
    return step_of(form, form.network, form, faces)


def lean_step(faces: Faces, attention: str) -> Step:
    """The best form with the hidden layer's weights, nine tenths of all, updated in one pass."""
    from h100_optimizer import WorkingWeight

    form = Form(network_of(attention), BEST, BF16).train()
    form.network.trunk.to(memory_format=torch.channels_last)
    hidden, spec = form.network.sub_networks.hidden, RECIPE.optimizer
    working = WorkingWeight(hidden.weight, BF16, spec.rate, spec.momentum, spec.weight_decay)
    form.hidden = working.working
    others = step_of(form, form.network, form, faces)

    def step() -> None:
        others()
        working.step()

    return step


def named(ways: Iterable[str], *more: str) -> str:
    """Return what a form of some ways is called."""
    return ", ".join([*sorted(ways), *more])


def measure(name: str, form: str, steps: dict[str, Step], faces: Faces, precision: str = "bf16") -> None:
    """Time alternating steps; "ours" is the variant, "without" the same without PSE, the others references."""
    seconds = timed(steps, faces)
    record = record_of(name, seconds["ours"], True, precision) | {"form": form}
    if "without" in seconds:
        record |= pse_cost(seconds["ours"], seconds["without"])
    for other in ("reference", "reference_without"):
        if other in seconds:
            record[f"{other}_images_per_second"] = round(BATCH / statistics.median(seconds[other]), 1)
    if "reference_without" in seconds:
        cost = pse_cost(seconds["reference"], seconds["reference_without"])
        record |= {f"reference_{key}": value for key, value in cost.items()}
    write(name, record)
    show(record)


def ceilings() -> None:
    with alone():
        side = 8192 if CUDA else 256
        a, b = torch.randn(2, side, side, device=DEVICE).to(BF16)
        flops = 2 * side**3 / _seconds(lambda: a @ b, 12)
        source = torch.randint(0, 255, ((4 << 30) if CUDA else 1 << 20,), device=DEVICE, dtype=torch.uint8)
        to = torch.empty_like(source)
        moved = 2 * source.nbytes / _seconds(lambda: to.copy_(source), 8)
    found = {"flops_a_second": flops, "bytes_a_second": moved, "matmul": f"bf16 {side}^3, random"}
    write("ceilings", {"what": "ceilings", **about(), **found})
    say(f"ceilings: {flops / 1e12:.0f} TFLOP/s, {moved / 1e12:.2f} TB/s")


def _seconds(run: Callable[[], Any], times: int) -> float:
    for _ in range(3):
        run()
    found = []
    for _ in range(times):
        synchronize()
        started = time.perf_counter()
        run()
        synchronize()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def profile(name: str, step: Step, faces: Faces) -> None:
    """Write the kernels of a step, the longest first: microseconds an image and share."""
    from torch.profiler import ProfilerActivity

    for _ in range(2):
        step()
    synchronize()
    activity = ProfilerActivity.CUDA if CUDA else ProfilerActivity.CPU
    steps = 3 if CUDA else 1
    with torch.profiler.profile(activities=[activity]) as profiler:
        for _ in range(steps):
            step()
        synchronize()
    attribute = "self_device_time_total" if CUDA else "self_cpu_time_total"
    found = sorted(((getattr(e, attribute), e.count, e.key) for e in profiler.key_averages()), reverse=True)
    total = sum(spent for spent, _, _ in found)
    rows = [
        {
            "kernel": key[:200],
            "microseconds_an_image": round(spent / steps / BATCH, 4),
            "share": round(spent / total, 4),
            "calls_a_step": round(count / steps, 1),
        }
        for spent, count, key in found[:40]
    ]
    record = {"what": "profile", "variant": name.removeprefix("profile_"), **about()}
    write(name, record | {"microseconds_an_image": round(total / steps / BATCH, 3), "kernels": rows})
    say(f"{name}: {total / steps / BATCH:.2f} us an image in kernels")
    for row in rows[:25]:
        spent = f"{row['microseconds_an_image']:7.3f} us {100 * row['share']:5.1f} % x{row['calls_a_step']:<5}"
        print(f"    {spent} {row['kernel'][:90]}")


def plain() -> None:
    backends(tf32=True, benchmark=True)
    ceilings()
    faces = Faces()

    def alternating(
        name: str, form: str, make: Callable[[str], Step], paired: bool = True, precision: str = "bf16"
    ) -> None:
        with alone():
            steps = {"ours": make("pse_conv")}
            if paired:
                steps["without"] = make("none")
            measure(name, form, steps, faces, precision)

    def way(*ways: str) -> Callable[[], None]:
        chosen = frozenset(ways)
        return lambda: alternating("way_" + "_".join(ways), named(ways), lambda a: form_step(faces, a, chosen), False)

    def reference() -> None:
        alternating("reference_bf16", "reference, bf16, channels last", lambda a: reference_step(faces, a))

    def reference_tf32() -> None:
        form = "reference, float32 with TF32 products"
        alternating("reference_tf32", form, lambda a: reference_step(faces, a, False), precision="tf32")

    def package(name: str, *more: str) -> Callable[[], None]:
        return lambda: alternating(name, named(["package"], *more), lambda a: ours_step(faces, a))

    attempt("reference_bf16", 25, reference)
    backends(tf32=False, benchmark=False)
    attempt("ours_eager", 25, package("ours_eager"))
    backends(tf32=True, benchmark=True)
    attempt("ours_benchmark_tf32", 25, package("ours_benchmark_tf32", "cudnn.benchmark", "resizing in TF32"))
    attempt("reference_tf32", 25, reference_tf32)

    def eager_profile() -> None:
        with alone():
            profile("profile_ours_eager", ours_step(faces, "pse_conv"), faces)

    def graph() -> None:
        alternating("ours_graph", "package, captured", lambda a: captured(ours_step(faces, a)))

    attempt("profile_ours_eager", 20, eager_profile)
    for ways in (("blocks", "fold", "no_bias", "split"), ("fold",), ("no_bias",), ("split",), ("dense",), ("blocks",)):
        attempt("way_" + "_".join(ways), 15, way(*ways))
    attempt("ours_graph", 25, graph)
    attempt("default_recipe", 25, lambda: default_recipe(faces))


def fused() -> None:
    # Without a choice among cuDNN's ways: it costs ten seconds a form, and what it gains is measured last.
    backends(tf32=True, benchmark=False)
    faces = Faces()

    def prepare() -> None:
        # Few images: another process may be measuring.
        few = min(16, BATCH)
        for attention in ("pse_conv", "none"):
            for ways in (BEST, BEST - {"frames"}):
                form = Form(network_of(attention), ways, BF16).train()
                form(faces.batch[:few], faces.flip[:few]).sum().backward()
        synchronize()
        say("kernels compiled")

    def best_graph() -> None:
        with alone():
            steps = {
                "ours": captured(form_step(faces, "pse_conv", BEST)),
                "without": captured(form_step(faces, "none", BEST)),
                "reference": reference_step(faces, "pse_conv"),
                "reference_without": reference_step(faces, "none"),
            }
            measure("best_graph", named(BEST, "captured"), steps, faces)

    def best_profile() -> None:
        with alone():
            profile("profile_best", form_step(faces, "pse_conv", BEST), faces)
            profile("profile_best_without", form_step(faces, "none", BEST), faces)

    def lean() -> None:
        with alone():
            steps = {"ours": captured(lean_step(faces, "pse_conv")), "without": captured(lean_step(faces, "none"))}
            measure("best_graph_lean", named(BEST, "hidden weights in one pass", "captured"), steps, faces)

    def eager() -> None:
        with alone():
            steps = {"ours": form_step(faces, "pse_conv", BEST), "without": form_step(faces, "none", BEST)}
            measure("best_eager", named(BEST), steps, faces)

    def graph_of(name: str, ways: frozenset[str], *more: str) -> None:
        with alone():
            measure(name, named(ways, "captured", *more), {"ours": captured(form_step(faces, "pse_conv", ways))}, faces)

    attempt("fused_prepare", 60, prepare)
    attempt("fused_check", 25, lambda: check(faces))
    attempt("best_graph", 40, best_graph)
    attempt("best_graph_lean", 20, lean)
    attempt("profile_best", 20, best_profile)
    grouped = BEST - {"tail", "split"}
    others = {f"best_graph_less_{way}": BEST - {way} for way in ("frames", "norms", "tail")}
    others |= {"best_graph_grouped": grouped, "best_graph_dense": grouped | {"dense"}}
    for name, ways in others.items():
        attempt(name, 15, partial(graph_of, name, ways))
    attempt("best_eager", 20, eager)
    backends(tf32=True, benchmark=True)
    attempt("best_graph_benchmark", 25, partial(graph_of, "best_graph_benchmark", BEST, "cudnn.benchmark"))


def check(faces: Faces) -> None:
    """Compare the best form and the package's eager one, both in 16 bits, with 32-bit arithmetic: logits, gradients."""
    count = min(64, BATCH)
    frames, flip, labels = faces.batch[:count], faces.flip[:count], faces.its_labels[:count]
    found: dict[str, tuple[Tensor, Tensor]] = {}
    names = None
    forms = {"float32": (frozenset(), torch.float32), "eager": (frozenset(), BF16), "best": (BEST, BF16)}
    with alone():
        for name, (ways, dtype) in forms.items():
            backends(tf32=False, benchmark=False)
            form = Form(network_of("pse_conv"), ways, dtype).train()
            logits = form(frames, flip)
            (attribute_losses(logits, labels).sum() / count).backward()
            # Biases before a BatchNorm have a gradient of rounding errors alone.
            gradients = {
                key: p.grad
                for key, p in form.network.named_parameters()
                if p.grad is not None and (key.endswith("weight") or "attention" in key)
            }
            if "tail" in ways:
                key = "sub_networks.hidden.weight"
                gradients[key] = to_channels_first(gradients[key])
            names = list(gradients)
            found[name] = logits.detach(), gradients  # type: ignore[assignment]
    backends(tf32=True, benchmark=False)
    record: dict[str, Any] = {"what": "agreement with float32", "images": count}
    for name in ("eager", "best"):
        logits, gradients = found[name]
        exact, its = found["float32"]
        record[name] = {"logits": _error(logits, exact)} | {
            key: _error(gradients[key], its[key]) for key in names or ()
        }
    write("fused_check", record)
    worse = max(record["best"], key=lambda key: record["best"][key] / max(record["eager"][key], 1e-9))
    say(
        f"check: logits {record['best']['logits']:.4f} (eager {record['eager']['logits']:.4f}); farthest "
        f"{worse} {record['best'][worse]:.4f} (eager {record['eager'][worse]:.4f})"
    )


def _error(found: Tensor, exact: Tensor) -> float:
    return float((found.double() - exact.double()).norm() / exact.double().norm())


def compiled() -> None:
    import torch._inductor.config as inductor

    inductor.triton.autotune_pointwise = False
    faces = Faces()

    def both(name: str, form: str, make: Callable[[], Step]) -> None:
        step = make()
        started = time.perf_counter()
        # No choice among cuDNN's ways yet: another process may be measuring.
        backends(tf32=True, benchmark=False)
        step()
        synchronize()
        backends(tf32=True, benchmark=True)
        say(f"{name}: compiled in {time.perf_counter() - started:.0f} s")
        with alone():
            measure(name, form, {"ours": step}, faces)
        attempt(f"{name}_graph", 15, lambda: graph(f"{name}_graph", form, step))

    def graph(name: str, form: str, step: Step) -> None:
        with alone():
            measure(name, named([form], "captured"), {"ours": captured(step)}, faces)

    def package() -> Step:
        return ours_step(faces, "pse_conv", True)

    attempt("compiled", 80, lambda: both("compiled", "package, torch.compile", package), 30)
    ways = frozenset({"blocks", "fold", "no_bias", "split"})

    def form() -> Step:
        module = Form(network_of("pse_conv"), ways, BF16).train()
        module.network.trunk.to(memory_format=torch.channels_last)
        return step_of(module, module.network, torch.compile(module, dynamic=False), faces)

    attempt("compiled_form", 60, lambda: both("compiled_form", named(ways, "torch.compile"), form), 30)


def default_recipe(faces: Faces) -> None:
    """The recipe `default`'s network at its full size, eager, bf16, channels last."""
    recipe = load_recipe("default")
    torch.manual_seed(0)
    with alone():
        steps = {}
        for name, attention in (("ours", "pse_conv"), ("without", "none")):
            spec = replace(recipe.network, imagenet=False, attention=attention)
            network = spec.build(CELEBA).to(DEVICE).train()
            network.trunk.to(memory_format=torch.channels_last)
            steps[name] = step_of(network, network, plain_logits(network, True, False), faces)
        seconds = timed(steps, faces)
    record = record_of("default_recipe", seconds["ours"], True, "bf16") | pse_cost(seconds["ours"], seconds["without"])
    unknown = ("flops_an_image", "least_bytes_an_image", "share_of_arithmetic_limit", "share_of_memory_limit")
    record |= dict.fromkeys(unknown) | {"recipe": "default", "network": "PSE(b) on tf_efficientnet_lite0, 218 x 178"}
    write("default_recipe", record)
    show(record)


if __name__ == "__main__":
    {"plain": plain, "fused": fused, "compiled": compiled}[WORKER]()
