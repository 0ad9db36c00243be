"""Every photograph that can be drawn small is, whatever becomes of the process that drew another."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from facelocus.library.store import open_store
from facelocus.library.thumbnails import make_thumbnails
from libraries import draw


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes by a signal")
def test_a_photograph_that_kills_its_process_has_none_and_the_others_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a new interpreter runs first: in it one of the photographs is deadly.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\n"
        "from facelocus.library import thumbnails\n"
        "read_reduced = thumbnails.read_reduced\n"
        "def deadly(photo, longest):\n"
        "    if photo.name == '5.png':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return read_reduced(photo, longest)\n"
        "thumbnails.read_reduced = deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    photos = [(tmp_path / f"{number}.png", str(number).encode()) for number in range(16)]
    for number, (photo, _) in enumerate(photos):
        draw(photo, number)
    with closing(open_store(tmp_path, to_write=True)) as store:
        make_thumbnails(store, photos, workers=2)
        made = {digest for (digest,) in store.execute("SELECT digest FROM thumbnails")}
    assert made == {digest for _, digest in photos} - {b"5"}
