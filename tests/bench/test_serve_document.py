"""What docs/serve.md says of load, page and kills: of which machine each is, and what was done meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

from documents.serve import KILLS, LOAD, PAGE, load, page


def with_fields(record: Path, folder: Path, **fields: object) -> Path:
    """Write a record anew, some of its fields changed."""
    file = folder / record.name
    file.write_text(json.dumps(json.loads(record.read_text(encoding="utf-8")) | fields), encoding="utf-8")
    return file


def test_page_and_kills_name_their_machines_and_what_the_clients_did(tmp_path: Path) -> None:
    library = {"pictures before": 24, "as they were": 23, "indexed meanwhile": 6}
    kills = with_fields(KILLS, tmp_path, device="an old machine", clients=63, kills=4, library=library)
    text = page(with_fields(PAGE, tmp_path, faces=12, device="a new machine"), kills)
    assert "With a library of 12 faces (a new machine) the page is painted after " in text
    assert "Killed 4 times while 63 clients sent crops or searched and its library grew (an old machine), " in text
    assert "the same load" not in text
    assert "23 of 24 pictures as they were and 6 new ones" in text


def test_memory_is_of_the_tenths_it_was_taken_in(tmp_path: Path) -> None:
    memory = {"first_tenth": 600, "last_tenth": 610}
    text = load(with_fields(LOAD, tmp_path, memory_mb=memory))
    assert text.endswith(" 600 MB in the second tenth of the time, 610 MB in the last.\n")
