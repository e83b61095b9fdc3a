"""Many clients at once: nothing is lost, nothing is doubled, of two that want the same thing one gets it."""

import multiprocessing
import time

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

PROCESSES = 16
context = multiprocessing.get_context("fork")


def log_alone(experiment_id: str, number: int) -> str:
    client = MlflowClient()
    run_id = client.create_run(experiment_id, run_name=f"process-{number}").info.run_id
    for step in range(20):
        client.log_metric(run_id, "single", number + step, timestamp=1000 + step, step=step)
    client.log_batch(run_id, [Metric("batch", step, 1000 + step, step) for step in range(200)], [Param("number", str(number))])
    client.log_text(run_id, f"from {number}", "who.txt")
    client.set_terminated(run_id)
    return run_id


def log_together(run_id: str, number: int) -> None:
    MlflowClient().log_batch(run_id, [Metric(key, number, 1000 + step, 100 * number + step) for step in range(50) for key in ("a", "b", "c")])


def register(name: str, source: str) -> str:
    return MlflowClient().create_model_version(name, source).version


def create_experiment(name: str) -> str:
    try:
        return MlflowClient().create_experiment(name)
    except MlflowException as refused:
        return refused.error_code


@pytest.fixture
def pool():
    with context.Pool(PROCESSES) as processes:
        yield processes


def test_sixteen_processes_with_a_run_each(client, experiment, pool):
    run_ids = pool.starmap(log_alone, [(experiment.experiment_id, number) for number in range(PROCESSES)])
    found = {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}
    assert set(found) == set(run_ids)
    for number, run_id in enumerate(run_ids):
        assert found[run_id].info.status == "FINISHED" and found[run_id].data.params == {"number": str(number)}
        assert len(client.get_metric_history(run_id, "single")) == 20 and len(client.get_metric_history(run_id, "batch")) == 200
        assert mlflow.artifacts.load_text(f"runs:/{run_id}/who.txt") == f"from {number}"


def test_sixteen_processes_into_one_run(client, experiment, pool):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    pool.starmap(log_together, [(run_id, number) for number in range(PROCESSES)])
    assert client.get_run(run_id).data.metrics == {"a": 15.0, "b": 15.0, "c": 15.0}
    for key in ("a", "b", "c"):
        points = client.get_metric_history(run_id, key)
        assert len(points) == PROCESSES * 50 and len({point.step for point in points}) == PROCESSES * 50


def test_version_numbers_are_given_once(client, experiment, name, pool):
    client.create_registered_model(name)
    run = client.create_run(experiment.experiment_id)
    source = f"{run.info.artifact_uri}/model"
    client.log_text(run.info.run_id, "x", "model/MLmodel")
    assert sorted(map(int, pool.starmap(register, [(name, source)] * PROCESSES))) == list(range(1, PROCESSES + 1))


def test_of_many_that_create_the_same_experiment_one_wins(name, pool):
    answers = pool.map(create_experiment, [f"{name}-contested"] * PROCESSES)
    assert answers.count("RESOURCE_ALREADY_EXISTS") == PROCESSES - 1


def test_asynchronous_logging_arrives_in_order(client, experiment):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    with mlflow.start_run(run_id=run_id):
        for step in range(300):
            mlflow.log_metric("m", step, step=step, timestamp=int(time.time() * 1000), synchronous=False)
        mlflow.flush_async_logging()
    assert [point.value for point in client.get_metric_history(run_id, "m")] == list(range(300))
