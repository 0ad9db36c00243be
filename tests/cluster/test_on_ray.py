"""On Ray: the rows of the local form whichever worker is killed, nothing made twice, and refusals in one line."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from facelocus.cli import app
from facelocus.cluster.run import analyze_partitions
from facelocus.errors import ModelFileError, UsageError
from facelocus.model import Model
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request
from small_model import description, write_model

pytestmark = pytest.mark.usefixtures("two_cores")

_SIZE = 7
_SECONDS = 300.0


def parts(out: Path) -> dict[str, int]:
    """Return the partitions that are there, each with when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*.parquet")}


def actors() -> set[int]:
    """Return the ids of the processes below this one that are actors of ours."""
    parent, ours = {}, set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            _, _, rest = (place / "stat").read_text().rpartition(") ")
            state, above, *_ = rest.split()
            parent[int(place.name)] = int(above)
            if state != "Z" and (place / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                ours.add(int(place.name))
        except OSError:
            continue

    def is_below(pid: int) -> bool:
        while pid not in (0, os.getpid()):
            pid = parent.get(pid, 0)
        return pid != 0

    return set(filter(is_below, ours))


def kill_one(out: Path, killed: dict[str, set[int] | int]) -> None:
    """Once a partition is there and two actors are, kill one of these."""
    ends = time.monotonic() + _SECONDS
    while time.monotonic() < ends:
        if parts(out) and len(found := actors()) == 2:
            os.kill(min(found), signal.SIGKILL)
            killed.update(before=found, done=len(parts(out)))
            return
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_a_worker_that_is_killed_costs_nothing_and_what_is_whole_is_not_made_again(
    photos: Path, tmp_path: Path, request_of_crops: Request, local_rows: pyarrow.Table
) -> None:
    out, killed = tmp_path / "faces", {}
    killer = threading.Thread(target=kill_one, args=(out, killed))
    killer.start()
    made = analyze_partitions(Arguments([str(photos)]), str(out), request_of_crops, _SIZE)
    killer.join()
    total = -(-local_rows.num_rows // _SIZE)
    assert killed["done"] < total, "it was killed in the middle"
    assert (made.partitions, made.before, len(parts(out))) == (total, 0, total)
    assert pyarrow.parquet.read_table(out).equals(local_rows)
    assert (made.summary.photographs, made.summary.failed) == (local_rows.num_rows, 2)
    assert sorted(made.summary.reasons) == sorted(filter(None, local_rows["error"].to_pylist()))
    assert sorted(path.name for path in out.iterdir()) == ["_facelocus", *sorted(parts(out))]

    before = parts(out)
    for name in list(before)[:3]:
        (out / name).unlink()
    again = analyze_partitions(Arguments([str(photos)]), str(out), request_of_crops, _SIZE)
    assert (again.partitions, again.before) == (3, total - 3)
    assert [name for name, when in parts(out).items() if before[name] != when] == [
        name for name in parts(out) if name in list(before)[:3]
    ]
    assert pyarrow.parquet.read_table(out).equals(local_rows)
    whole = analyze_partitions(Arguments([str(photos)]), str(out), request_of_crops, _SIZE)
    assert (whole.partitions, whole.summary.photographs) == (0, 0)


def test_what_an_actor_refuses_ends_the_run_in_one_line(photos: Path, tmp_path: Path) -> None:
    file, other = write_model(tmp_path / "m.onnx"), write_model(tmp_path / "o.onnx", description(name="another"))
    request = Request.of(Model.load(file, threads=1), Options(aligned=True))
    other.replace(file)
    with pytest.raises(ModelFileError, match=r"m\.onnx: is another file than when the run began") as refused:
        analyze_partitions(Arguments([str(photos / "0")]), str(tmp_path / "out"), request, 50)
    assert "\n" not in str(refused.value)
    assert parts(tmp_path / "out") == {}


def test_the_command_writes_what_it_says(photos: Path, tmp_path: Path, request_of_crops: Request) -> None:
    out = tmp_path / "faces"
    command = ["analyze", f"file://{photos}/1", "--ray", "--out", str(out), "--partition", "60", "--aligned"]
    done = CliRunner().invoke(app, [*command, "--model", str(request_of_crops.file)])
    assert done.exit_code == 1, done.output
    assert done.stderr.splitlines()[0].startswith(f"facelocus: file://{photos}/1/100.png is not a picture")
    assert "100 photographs: 99 faces, 0 without a face, 1 failed" in done.stdout
    assert done.stdout.rstrip().endswith(f"rows are in {out}")
    rows = pyarrow.parquet.read_table(out)["path"].to_pylist()
    assert rows == [f"file://{path}" for path in sorted((photos / "1").iterdir())]
    again = CliRunner().invoke(app, [*command[:-2], "61", "--aligned", "--model", str(request_of_crops.file)])
    assert isinstance(again.exception, UsageError)
    assert "was begun with other partition" in str(again.exception)
