"""Artifacts: everything the client can log, listing, downloading and deleting, with names as people choose them."""

import json
import os

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from PIL import Image

NAMES = ["plain.txt", "two words.txt", "100%.txt", "a+b.txt", "größe-鱼-🐟.txt", "semi;colon&and=.txt", "comma,[1].txt", ".hidden"]


def test_everything_one_logs_is_there_again(client, tmp_path):
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run() as run:
        mlflow.log_text("fünf\nFische", "notes/text.txt")
        mlflow.log_dict({"a": [1, 2, {"b": None}]}, "data/dict.json")
        mlflow.log_dict({"a": 1}, "data/dict.yaml")
        mlflow.log_figure(figure, "figures/line.png")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "images/black.png")
    plt.close(figure)
    run_id = run.info.run_id
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/text.txt") == "fünf\nFische"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/data/dict.json") == {"a": [1, 2, {"b": None}]}
    assert mlflow.artifacts.load_image(f"runs:/{run_id}/images/black.png").size == (8, 8)
    path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="figures/line.png", dst_path=str(tmp_path))
    assert Image.open(path).format == "PNG"
    assert [file.path for file in client.list_artifacts(run_id)] == ["data", "figures", "images", "notes"]


def test_images_of_steps(client):
    with mlflow.start_run() as run:
        for step in range(3):
            mlflow.log_image(np.full((4, 4, 3), step * 40, dtype=np.uint8), key="view", step=step)
    assert len(client.list_artifacts(run.info.run_id, "images")) == 6


def test_tables_grow_and_are_read_back_over_runs(experiment):
    runs = []
    for seed in range(2):
        with mlflow.start_run() as run:
            mlflow.log_table({"question": [f"q{seed}"], "score": [seed]}, "eval/table.json")
            mlflow.log_table(pd.DataFrame({"question": ["more"], "score": [9]}), "eval/table.json")
        runs.append(run.info.run_id)
    table = mlflow.load_table("eval/table.json", run_ids=runs, extra_columns=["run_id"])
    assert sorted(table["score"]) == [0, 1, 9, 9] and set(table["run_id"]) == set(runs)


def test_whole_folders(client, tmp_path):
    for path in ("one.txt", "deep/er/two.txt", "deep/three.bin"):
        file = tmp_path / "in" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(1000))
    (tmp_path / "in" / "empty.txt").touch()
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "in"), "folder")
    run_id = run.info.run_id
    assert [(file.path, file.is_dir, file.file_size or 0) for file in client.list_artifacts(run_id, "folder")] == [
        ("folder/deep", True, 0),
        ("folder/empty.txt", False, 0),
        ("folder/one.txt", False, 1000),
    ]
    got = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/folder", dst_path=str(tmp_path / "out"))
    for file in (tmp_path / "in").rglob("*"):
        if file.is_file():
            assert (tmp_path / got / file.relative_to(tmp_path / "in")).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("folder", ["", "sub folder/ünder+score"], ids=["root", "folder"])
def test_names_come_back_as_they_were_given(client, tmp_path, folder):
    with mlflow.start_run() as run:
        for index, file_name in enumerate(NAMES):
            (tmp_path / file_name).write_text(str(index))
            mlflow.log_artifact(str(tmp_path / file_name), folder or None)
    listed = [file.path.rsplit("/", 1)[-1] for file in client.list_artifacts(run.info.run_id, folder or None)]
    assert sorted(listed) == sorted(NAMES)
    for index, file_name in enumerate(NAMES):
        where = f"{folder}/{file_name}" if folder else file_name
        got = client.download_artifacts(run.info.run_id, where, str(tmp_path))
        assert open(got).read() == str(index), file_name


def test_a_name_that_looks_escaped_is_what_the_client_makes_of_it(client, tmp_path):
    """The client sends `%20` as it is, which every server reads as a space; asking for either name gives the file."""
    with mlflow.start_run() as run:
        (tmp_path / "a%20b.txt").write_text("x")
        mlflow.log_artifact(str(tmp_path / "a%20b.txt"))
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["a b.txt"]
    for asked in ("a%20b.txt", "a b.txt"):
        assert open(client.download_artifacts(run.info.run_id, asked, str(tmp_path))).read() == "x"


def test_files_are_overwritten_and_deleted(client):
    with mlflow.start_run() as run:
        mlflow.log_text("old", "a/file.txt")
        mlflow.log_text("new", "a/file.txt")
        mlflow.log_text("other", "a/b/other.txt")
    run_id = run.info.run_id
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/a/file.txt") == "new"
    repository = get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("a/file.txt")
    assert [file.path for file in client.list_artifacts(run_id, "a")] == ["a/b"]
    repository.delete_artifacts("a")
    assert client.list_artifacts(run_id) == []


def test_what_is_not_there(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    assert client.list_artifacts(run_id) == [] and client.list_artifacts(run_id, "no/such/folder") == []
    with pytest.raises(Exception, match="Failed to download artifacts from path"):
        client.download_artifacts(run_id, "no-such-file.txt")


def test_paths_that_lead_outside_are_refused(api, client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    with pytest.raises(MlflowException, match="Invalid"):
        client.log_text(run_id, "x", "../outside.txt")
    for path in ("..%2F..%2Fsecret", "%252e%252e/secret", "a%5C..%5Csecret"):
        answer = api.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment.experiment_id}/{run_id}/artifacts/{path}", data=b"x")
        assert answer.status_code == 400, path


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_a_large_file_in_parts_and_in_one_piece(client, experiment, tmp_path, monkeypatch, enabled):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", enabled)
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(6 * 1024**2))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * 1024**2))
    large = tmp_path / "large file.bin"
    large.write_bytes(os.urandom(23 * 1024**2 + 7))
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_artifact(run_id, str(large), "weights")
    (listed,) = client.list_artifacts(run_id, "weights")
    assert listed.file_size == large.stat().st_size
    got = client.download_artifacts(run_id, "weights/large file.bin", str(tmp_path))
    assert open(got, "rb").read() == large.read_bytes()


def test_the_ways_of_the_browser(api, client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_dict(run_id, {"a": 1}, "page.html")
    answer = api.call("GET", "/get-artifact", params={"run_id": run_id, "path": "page.html"})
    assert json.loads(answer.text) == {"a": 1}
    assert answer.headers["content-disposition"].startswith("attachment") and answer.headers["x-content-type-options"] == "nosniff"
    listed = api.json("GET", "/ajax-api/2.0/mlflow/artifacts/list", params={"run_id": run_id})
    assert [file["path"] for file in listed["files"]] == ["page.html"]
