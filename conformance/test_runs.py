"""Runs as one works with them all day: parameters, metrics, tags, nesting, life and death."""

import math
import time

import mlflow
import pytest
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException


def now() -> int:
    return int(time.time() * 1000)


def test_a_run_holds_what_was_logged(client):
    with mlflow.start_run(run_name="tuesday", description="a *good* day", tags={"team": "pike"}) as run:
        mlflow.log_param("rate", 0.1)
        mlflow.log_params({"depth": 3, "text": "", "words": "a b"})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metrics({"accuracy": 0.75, "f1": 1}, step=2)
        mlflow.set_tag("phase", "first")
        mlflow.set_tags({"phase": "second", "number": 7})
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED" and found.info.run_name == "tuesday"
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"rate": "0.1", "depth": "3", "text": "", "words": "a b"}
    assert found.data.metrics == {"loss": 0.5, "accuracy": 0.75, "f1": 1.0}
    assert found.data.tags["phase"] == "second" and found.data.tags["number"] == "7" and found.data.tags["team"] == "pike"
    assert found.data.tags["mlflow.note.content"] == "a *good* day"


def test_a_run_without_a_name_gets_one(client):
    with mlflow.start_run() as run:
        pass
    assert run.info.run_name and client.get_run(run.info.run_id).data.tags["mlflow.runName"] == run.info.run_name


def test_nested_runs_know_their_parent(client, experiment):
    with mlflow.start_run() as parent:
        children = []
        for depth in (1, 2, 3):
            with mlflow.start_run(nested=True) as child:
                mlflow.log_param("depth", depth)
                with mlflow.start_run(nested=True) as grandchild:
                    mlflow.log_metric("score", depth)
                children.append(child.info.run_id)
    found = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert {run.info.run_id for run in found} == set(children)
    assert mlflow.get_parent_run(grandchild.info.run_id).info.run_id == children[-1]


def test_an_exception_marks_the_run_as_failed(client):
    with pytest.raises(ZeroDivisionError):
        with mlflow.start_run() as run:
            mlflow.log_metric("before", 1)
            _ = 1 / 0
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_a_finished_run_can_be_resumed(client):
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1, step=1)
    with mlflow.start_run(run_id=run.info.run_id):
        assert client.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("m", 2, step=2)
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED" and found.data.metrics == {"m": 2.0}


def test_a_batch_is_all_or_nothing(client, experiment):
    run = client.create_run(experiment.experiment_id)
    client.log_param(run.info.run_id, "taken", "old")
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_batch(run.info.run_id, [Metric("m", 1, now(), 0)], [Param("fresh", "1"), Param("taken", "new")], [RunTag("t", "v")])
    found = client.get_run(run.info.run_id).data
    assert found.params == {"taken": "old"} and found.metrics == {} and "t" not in found.tags


def test_a_large_batch_is_split_by_the_client_and_arrives_whole(client, experiment):
    run = client.create_run(experiment.experiment_id)
    metrics = [Metric(f"m{key}", step, 1000 + step, step) for key in range(25) for step in range(100)]
    params = [Param(f"p{index}", index) for index in range(250)]
    tags = [RunTag(f"t{index}", str(index)) for index in range(150)]
    for start in range(0, len(metrics), 1000):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + 1000])
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_params({param.key: param.value for param in params})
        mlflow.set_tags({tag.key: tag.value for tag in tags})
    found = client.get_run(run.info.run_id).data
    assert len(found.params) == 250 and len(found.metrics) == 25
    assert {found.tags[tag.key] for tag in tags} == {tag.value for tag in tags}
    assert [point.step for point in client.get_metric_history(run.info.run_id, "m7")] == list(range(100))


def test_a_batch_that_is_too_large_is_refused_with_the_limit(api, client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    metrics = [{"key": "m", "value": step, "timestamp": 1, "step": step} for step in range(1001)]
    refused = api.call("POST", "/api/2.0/mlflow/runs/log-batch", json={"run_id": run_id, "metrics": metrics})
    assert refused.status_code == 400 and refused.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert refused.json()["message"].startswith("A batch logging request can contain at most 1000 metrics. Got 1001 metrics.")


def test_numbers_that_are_no_numbers_come_back(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_metric(run_id, "nothing", math.nan, timestamp=5)
    client.log_metric(run_id, "nothing", math.nan, timestamp=5)
    client.log_metric(run_id, "much", math.inf)
    client.log_metric(run_id, "little", -math.inf)
    metrics = client.get_run(run_id).data.metrics
    assert math.isnan(metrics["nothing"]) and metrics["much"] == 1.7976931348623157e308 and metrics["little"] == -1.7976931348623157e308
    assert len(client.get_metric_history(run_id, "nothing")) == 1


def test_the_latest_point_is_that_of_the_greatest_step(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    for step, timestamp, value in [(5, 10, 1.0), (3, 99, 2.0), (5, 20, 3.0), (-1, 30, 4.0)]:
        client.log_metric(run_id, "m", value, timestamp=timestamp, step=step)
    assert client.get_run(run_id).data.metrics["m"] == 3.0
    assert [point.value for point in client.get_metric_history(run_id, "m")] == [1.0, 3.0, 4.0, 2.0]


def test_params_are_written_once(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_param(run_id, "p", "a")
    client.log_param(run_id, "p", "a")
    with pytest.raises(MlflowException, match="was already logged with value='a' for run ID"):
        client.log_param(run_id, "p", "b")


def test_long_values_are_cut_as_the_reference_does(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_param(run_id, "p", "x" * 7000)
    client.set_tag(run_id, "t", "y" * 9000)
    found = client.get_run(run_id).data
    assert len(found.params["p"]) == 6000 and len(found.tags["t"]) == 8000


def test_a_deleted_run_is_gone_from_search_and_comes_back(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert client.search_runs([experiment.experiment_id]) == []
    assert len(client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY)) == 1
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.log_metric(run_id, "m", 1)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_runs_are_renamed_and_ended_with_any_status(client, experiment):
    run_id = client.create_run(experiment.experiment_id, run_name="old").info.run_id
    client.update_run(run_id, name="new")
    client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
    found = client.get_run(run_id)
    assert found.info.run_name == found.data.tags["mlflow.runName"] == "new" and found.info.status == "KILLED"


def test_tags_are_deleted(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.set_tag(run_id, "t", "v")
    client.delete_tag(run_id, "t")
    assert "t" not in client.get_run(run_id).data.tags
    with pytest.raises(MlflowException, match=f"No tag with name: t in run with id {run_id}"):
        client.delete_tag(run_id, "t")


def test_keys_of_every_script_and_with_slashes(client):
    with mlflow.start_run() as run:
        mlflow.log_metric("validation/verlust (größe)".replace("(", "").replace(")", ""), 1)
        mlflow.log_param("模型 name", "鱼 🐟")
        with pytest.raises(MlflowException, match="Names may only contain"):
            mlflow.log_metric("bad;key", 1)
    found = client.get_run(run.info.run_id).data
    assert found.params == {"模型 name": "鱼 🐟"} and found.metrics == {"validation/verlust größe": 1.0}
