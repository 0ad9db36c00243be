"""PSE(b)-Alexnet-cvgj's training step on one CUDA device, in all the forms worth trying, in under two minutes.

    python benchmarks/h100/h100.py --json FOLDER --seconds 105

Three processes prepare at once (imports, compilation) and measure by turns, under a lock: a kernel that fails ends
one of them, not the run. Each variant is written to FOLDER/NAME.json as soon as it is known and printed as one line.
`--device cpu --batch 2` goes through everything that needs no GPU; with TRITON_INTERPRET=1 the kernels too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=105)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", default="plain,fused,compiled")
    options = parser.parse_args()
    started = time.time()
    options.json.mkdir(parents=True, exist_ok=True)
    for mark in options.json.glob(".begun-*"):
        mark.unlink()
    workers = options.only.split(",")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1] / "src"), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        "H100_STARTED": str(started),
        "H100_SECONDS": str(options.seconds),
        "TORCHINDUCTOR_COMPILE_THREADS": "8",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "4"),
    }
    command = [
        sys.executable,
        "-u",
        str(HERE / "h100_variants.py"),
        str(options.json),
        options.device,
        str(options.batch),
    ]
    running = {name: subprocess.Popen([*command, name], env=environment) for name in workers}
    restarts = dict.fromkeys(workers, 2)
    while running:
        time.sleep(0.2)
        late = time.time() - started > options.seconds
        for name, process in list(running.items()):
            if late and process.poll() is None:
                process.terminate()
                try:
                    process.wait(2)
                except subprocess.TimeoutExpired:
                    process.kill()
                print(f"{name}: stopped at {options.seconds:.0f} s", flush=True)
                del running[name]
            elif process.poll() is not None:
                del running[name]
                if process.returncode and restarts[name] and not late:
                    # The variant that ended it is marked as begun and will not be begun again.
                    restarts[name] -= 1
                    print(f"{name}: ended with {process.returncode}, begun again", flush=True)
                    running[name] = subprocess.Popen([*command, name], env=environment)
    summary(options.json, started)
    print(f"{time.time() - started:.1f} s in all", flush=True)


def summary(folder: Path, since: float) -> None:
    """Print one line a variant, fastest first, and write all records as one file."""
    files = [file for file in sorted(folder.glob("*.json")) if file.stem != "h100" and file.stat().st_mtime >= since]
    records = {file.stem: json.loads(file.read_text()) for file in files}
    (folder / "h100.json").write_text(json.dumps(records, indent=1) + "\n")
    print("variant                          images/s  arithmetic  memory  PSE us  PSE share  peak GB")
    steps = [record for record in records.values() if record.get("what") == "training_step"]
    for record in sorted(steps, key=lambda record: -record["images_per_second"]):
        numbers = [
            f"{record['images_per_second']:12,.0f}",
            *(f"{100 * (record[f'share_of_{limit}_limit'] or 0):8.1f} %" for limit in ("arithmetic", "memory")),
            f"{record.get('pse_microseconds_an_image', float('nan')):7.2f}",
            f"{100 * record.get('pse_share', float('nan')):7.1f} %",
            f"{(record['peak_bytes'] or 0) / 1e9:8.1f}",
        ]
        print(f"{record['variant']:<28}", *numbers)
    for name, record in records.items():
        if "failed" in record:
            print(f"{name}: failed, {record['failed']}")


if __name__ == "__main__":
    main()
