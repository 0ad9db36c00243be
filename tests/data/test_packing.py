"""A packing that is stopped, whenever and however, goes on and gives the same Pack; two at once make one."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from facelocus.data import FaceTable, Pack, open_pack, packing, read_table
from facelocus.data import decode as decode_module
from facelocus.errors import DataError, StorageError
from faces import draw_face, write_celeba, zip_celeba


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("source") / "celeba", 30)


@pytest.fixture
def table(celeba: Path, monkeypatch: pytest.MonkeyPatch) -> FaceTable:
    monkeypatch.setattr(packing, "_CHUNK", 4)
    return read_table(celeba)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Stopping:
    """decode_frame, but the call of this number raises; counts the calls."""

    def __init__(self, call: int | None, error: BaseException | None = None) -> None:
        self.call, self.error, self.calls = call, error, 0
        self.decode = decode_module.decode_frame

    def __call__(self, content: bytes, where: str) -> np.ndarray:
        self.calls += 1
        if self.calls == self.call and self.error is not None:
            raise self.error
        return self.decode(content, where)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks")
@pytest.mark.parametrize(("kills", "workers"), [(50, 1), (3, 2)])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path: Path, kills: int, workers: int) -> None:
    source = write_celeba(tmp_path / "celeba", 24)
    for number in (2, 3, 11, 24):  # not of the frame's size, and no face: left out
        Image.new("RGB", (40, 40)).save(source / "img_align_celeba" / f"{number:06d}.jpg")
    program = Path(__file__).parents[1] / "killed_packing.py"
    arguments = [sys.executable, program, source, tmp_path, str(kills), str(workers)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{kills} kills")


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (DataError("000015.jpg is damaged"), DataError),
        (OSError(errno.ENOSPC, "full"), StorageError),
    ],
)
def test_what_is_decoded_when_it_stops_is_not_decoded_again(
    table: FaceTable, tmp_path: Path, monkeypatch: Any, error: BaseException, seen: type[BaseException]
) -> None:
    whole = Pack.build(table, tmp_path / "whole", workers=1)
    monkeypatch.setattr(decode_module, "decode_frame", Stopping(15, error))
    with pytest.raises(seen):
        Pack.build(table, tmp_path / "packs" / "pack", workers=1)
    assert not (tmp_path / "packs" / "pack").exists()
    monkeypatch.setattr(decode_module, "decode_frame", again := Stopping(None))
    pack = Pack.build(table, tmp_path / "packs" / "pack", workers=1)
    assert again.calls == 30 - 12, "three tasks of four were complete"
    assert contents(pack.folder) == contents(whole.folder)
    assert listed(tmp_path / "packs") == ["pack"]


def test_a_record_that_is_under_way_when_it_stops_does_not_replace_the_last(
    table: FaceTable, tmp_path: Path, monkeypatch: Any
) -> None:
    write, last = packing.write_atomically, threading.Event()

    def slow(path: Path, content: bytes) -> None:
        if threading.current_thread() is threading.main_thread():
            write(path, content)
            last.set()
        else:
            last.wait(0.5)  # the last one does not come before
            write(path, content)

    monkeypatch.setattr(packing, "_RECORD_EVERY", 0)
    monkeypatch.setattr(packing, "write_atomically", slow)
    stop(table, tmp_path / "pack", monkeypatch)
    monkeypatch.setattr(decode_module, "decode_frame", again := Stopping(None))
    Pack.build(table, tmp_path / "pack", workers=1)
    assert again.calls == 30 - 12, "three tasks of four were complete"


def stop(table: FaceTable, folder: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(decode_module, "decode_frame", Stopping(15, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            Pack.build(table, folder, workers=1)


def test_what_was_packed_of_another_source_is_thrown_away(
    table: FaceTable, celeba: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    stop(table, tmp_path / "packs" / "pack", monkeypatch)
    other = shutil.copytree(celeba, tmp_path / "other")
    Image.fromarray(draw_face(7)).save(other / "img_align_celeba" / "000001.jpg", quality=50)
    pack = Pack.build(read_table(other), tmp_path / "packs" / "pack", workers=1)
    np.testing.assert_array_equal(
        pack.frames(np.arange(1)), [np.asarray(Image.open(other / "img_align_celeba" / "000001.jpg"))]
    )
    assert listed(tmp_path / "packs") == ["pack"]


def test_open_pack_removes_what_other_sources_left_unless_they_go_on(
    table: FaceTable, celeba: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    packs = tmp_path / "packs"
    stop(table, packs / "abandoned", monkeypatch)
    stop(table, packs / "goes_on", monkeypatch)
    with FileLock(packs / ".goes_on.lock"):
        pack = open_pack(celeba, packs)
    assert listed(packs) == [".goes_on.lock", ".goes_on.partial", pack.folder.name]


def test_a_second_process_waits_and_opens_what_the_first_has_made(
    table: FaceTable, tmp_path: Path, monkeypatch: Any
) -> None:
    decode, begun, go_on, calls = decode_module.decode_frame, threading.Event(), threading.Event(), []

    def slow(content: bytes, where: str) -> np.ndarray:
        calls.append(where)
        begun.set()
        go_on.wait()
        return decode(content, where)

    monkeypatch.setattr(decode_module, "decode_frame", slow)
    packs: list[Pack] = []

    def build() -> None:
        packs.append(Pack.build(table, tmp_path / "pack", workers=1))

    # Not capsys, which can lose what another thread says while it is asked.
    monkeypatch.setattr(sys, "stderr", said := io.StringIO())
    both = [threading.Thread(target=build) for _ in range(2)]
    both[0].start()
    begun.wait()
    both[1].start()
    while f"another process is making {tmp_path / 'pack'}: waiting for it\n" not in said.getvalue():
        time.sleep(0.01)
    go_on.set()
    for thread in both:
        thread.join()
    assert [len(pack) for pack in packs] == [30, 30]
    assert len(calls) == 30
    assert listed(tmp_path) == ["pack"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_decoding_processes_end_with_the_one_they_work_for(tmp_path: Path) -> None:
    source = zip_celeba(write_celeba(tmp_path / "celeba", 130), tmp_path / "celeba.zip")
    program = (
        "import sys, os, signal, pathlib\n"
        "from facelocus.data import Pack, packing, read_table\n"
        "if __name__ == '__main__':\n"
        "    def killed(*_):\n"
        "        children = pathlib.Path(f'/proc/self/task/{os.getpid()}/children').read_text()\n"
        "        print(children, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    packing._Making._record = killed\n"
        "    packing._RECORD_EVERY = 0\n"
        "    Pack.build(read_table(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]), 2)\n"
    )
    (tmp_path / "program.py").write_text(program)
    arguments = [sys.executable, tmp_path / "program.py", source, tmp_path / "pack"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    children = [Path("/proc") / child for child in done.stdout.split()]
    assert len(children) >= 2
    while any(child.exists() for child in children):
        time.sleep(0.01)
