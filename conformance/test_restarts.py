"""The server is killed with SIGKILL while a client logs: the client's own retries carry it over, nothing is lost, nothing doubled."""

import threading

import mlflow
import pytest
from mlflow.entities import Metric, Param

pytestmark = pytest.mark.restarts


def log(client, run_id: str, done: list, stop: threading.Event) -> None:
    step = 0
    while not stop.is_set():
        client.log_metric(run_id, "single", step, timestamp=1000 + step, step=step)
        client.log_batch(run_id, [Metric("batch", step, 1000 + step, 10 * step + part) for part in range(10)], [Param(f"p{step}", str(step))])
        if step % 5 == 0:
            client.log_text(run_id, str(step), f"steps/{step}.txt")
        done.append(step)
        step += 1


def test_a_client_that_logs_while_the_server_is_killed_twice(client, experiment, host):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    done, stop, failures = [], threading.Event(), []

    def work():
        try:
            log(client, run_id, done, stop)
        except Exception as failure:
            failures.append(failure)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(2):
        reached = len(done) + 10
        wait_for(lambda: len(done) >= reached or failures)
        host.kill()
        host.come_back()
    reached = len(done) + 10
    wait_for(lambda: len(done) >= reached or failures)
    stop.set()
    worker.join(120)
    assert failures == []
    client.set_terminated(run_id)
    steps = len(done)
    assert [point.step for point in client.get_metric_history(run_id, "single")] == list(range(steps))
    assert [point.step for point in client.get_metric_history(run_id, "batch")] == list(range(10 * steps))
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED" and found.data.params == {f"p{step}": str(step) for step in range(steps)}
    assert len(client.list_artifacts(run_id, "steps")) == len(range(0, steps, 5))
    for step in range(0, steps, 5):
        assert mlflow.artifacts.load_text(f"runs:/{run_id}/steps/{step}.txt") == str(step)


def test_what_was_answered_before_a_kill_is_there_after_it(client, experiment, host, name):
    with mlflow.start_run() as run:
        mlflow.log_params({"p": 1})
        mlflow.log_text("kept", "note.txt")
        mlflow.log_text("kept too", "model/MLmodel")
    client.create_registered_model(name, tags={"t": "v"})
    client.create_model_version(name, f"{run.info.artifact_uri}/model")
    client.set_registered_model_alias(name, "champion", "1")
    host.kill()
    host.come_back()
    assert client.get_run(run.info.run_id).data.params == {"p": "1"} and mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt") == "kept"
    assert client.get_model_version_by_alias(name, "champion").version == "1" and client.get_registered_model(name).tags == {"t": "v"}


def wait_for(holds, seconds: float = 120) -> None:
    waited = threading.Event()
    for _ in range(int(seconds * 20)):
        if holds():
            return
        waited.wait(0.05)
    raise TimeoutError
