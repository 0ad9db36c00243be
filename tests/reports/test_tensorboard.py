"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from facelocus.errors import MissingExtraError, StorageError
from facelocus.reports import tensorboard
from facelocus.reports.runs import read_runs
from facelocus.reports.tensorboard import write_events
from run_folders import write_run

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def events(folder: Path) -> accumulator.EventAccumulator:
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    return read


def test_every_line_of_metrics_is_a_scalar_at_its_step_and_time(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "sweep" / "a")
    write_events(read_runs(tmp_path / "runs")[0], tmp_path / "events")
    read = events(tmp_path / "events" / "sweep" / "a")
    losses = read.Scalars("loss")
    assert [(each.step, each.value) for each in losses] == [
        (step, pytest.approx(9 - step / 10)) for step in range(5, 51, 5)
    ]
    started = datetime.datetime(2026, 11, 1, 10, tzinfo=datetime.timezone.utc).timestamp()
    assert [each.wall_time for each in losses] == pytest.approx([started + 2 * each.step for each in losses])
    assert [each.value for each in read.Scalars("validation/mean_accuracy")] == [81, 82, 83, 84, 79]
    assert [each.value for each in read.Scalars("validation/mean_balanced_accuracy")] == [71, 72, 73, 74, 69]
    assert {"rate", "loss/eyes", "loss/mouth"} < set(read.Tags()["scalars"])


def test_the_recipe_stands_among_the_hyperparameters_and_the_record_as_text(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", settings=("optimizer.rate=0.125",))
    write_events(read_runs(tmp_path / "runs")[0], tmp_path / "events")
    read = events(tmp_path / "events" / "a")
    started = read.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    plugin = pytest.importorskip("tensorboard.plugins.hparams.plugin_data_pb2").HParamsPluginData.FromString(started)
    settings = plugin.session_start_info.hparams
    assert settings["optimizer.rate"].number_value == 0.125
    assert settings["network.size"].string_value == "[218, 178]"
    assert [each.value for each in read.Scalars("best/mean_accuracy")] == [84]
    (text,) = read.Tensors("record/text_summary")
    assert b'"fingerprint": "fff' in text.tensor_proto.string_val[0]


def test_a_run_that_went_on_is_written_anew_and_files_of_others_stay(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", steps=20, finished=False)
    write_events(read_runs(tmp_path / "runs")[0], tmp_path / "events")
    (tmp_path / "events" / "a" / "notes.txt").touch()
    assert [each.step for each in events(tmp_path / "events" / "a").Scalars("loss")] == [5, 10, 15, 20]
    write_run(tmp_path / "longer")
    (tmp_path / "longer" / "metrics.jsonl").replace(tmp_path / "runs" / "a" / "metrics.jsonl")
    write_events(read_runs(tmp_path / "runs")[0], tmp_path / "events")
    assert [each.step for each in events(tmp_path / "events" / "a").Scalars("loss")] == list(range(5, 51, 5))
    assert (tmp_path / "events" / "a" / "notes.txt").exists()
    assert {path.name for path in (tmp_path / "events").iterdir()} == {"a"}


def test_a_run_without_lines_and_a_loss_that_is_no_number_are_left_out_of_the_scalars(tmp_path: Path) -> None:
    line = {"step": 10, "epoch": 1, "rate": 0.1, "loss": float("nan"), "loss_by_region": {}}
    write_run(tmp_path / "runs" / "a", steps=5, finished=False, last=line)
    write_run(tmp_path / "runs" / "b", steps=0, finished=False)
    write_events(read_runs(tmp_path / "runs")[0], tmp_path / "events")
    assert [each.step for each in events(tmp_path / "events" / "a").Scalars("loss")] == [5]
    assert events(tmp_path / "events" / "b").Tags()["scalars"] == []


def test_where_it_is_missing_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'facelocus\[tensorboard\]'"):
        write_events([], tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    (tmp_path / "events").touch()
    with pytest.raises(StorageError, match="name another folder"):
        write_events(read_runs(tmp_path / "a")[0], tmp_path / "events")
