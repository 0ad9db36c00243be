"""What `facelocus serve` refuses before it listens, and the limits that it starts with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi_offline", reason="needs the extra serve")

from facelocus.cli import main
from facelocus.serve import app, run


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be served: nothing is."""
    served: list[Any] = []
    monkeypatch.setattr(app, "make_app", served.append)
    monkeypatch.setattr(run, "run", lambda app, listening: listening.close())
    return served


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "0", *map(str, arguments)])
    assert ended.value.code
    return capsys.readouterr().err


@pytest.mark.parametrize("token", ["geheimnißvoll", "two\nlines"])
def test_a_token_that_no_header_carries_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    (tmp_path / "token").write_text(token, "utf-8")
    assert "token: a token is one line of ASCII" in refusal(capsys, "--token-file", tmp_path / "token")
    monkeypatch.setenv("FACELOCUS_TOKEN", token)
    message = refusal(capsys)
    assert message.startswith("facelocus: FACELOCUS_TOKEN: a token") and message.count("\n") == 1


def test_the_largest_picture_fits_into_a_request_and_that_into_what_is_held(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACELOCUS_TOKEN", "s3cret ")
    with pytest.raises(SystemExit):
        main(["serve", "--port", "0", "--max-mb", "1000"])
    (served,) = started
    assert served.token == "s3cret"
    assert served.limits.file_bytes < served.limits.request_bytes <= served.limits.held_bytes
    with pytest.raises(SystemExit):
        main(["serve", "--port", "0", "--queue", "16"])
    assert started[1].limits.files == 16, "a request that is alone always fits"
    assert "--max-mb" in refusal(capsys, "--max-mb", 1001), "no picture is larger than MAX_FILE"
