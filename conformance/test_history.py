"""Metric histories: whole, in pages, of many runs at once, thinned."""

import pytest
from mlflow.entities import Metric


@pytest.fixture
def runs(client, experiment):
    """Two runs; one point for each step, the value being ten times the step and the number of the run."""
    found = []
    for number in range(2):
        run_id = client.create_run(experiment.experiment_id).info.run_id
        points = [Metric("loss", 10 * step + number, 1000 + step, step) for step in range(3000)]
        for start in range(0, 3000, 1000):
            client.log_batch(run_id, metrics=points[start : start + 1000])
        found.append(run_id)
    return found


def test_a_history_is_whole_and_in_order(client, runs):
    points = client.get_metric_history(runs[0], "loss")
    assert [point.step for point in points] == list(range(3000)) and points[7].value == 70


def test_a_history_is_read_in_pages(api, runs):
    steps, token = [], None
    while token != "":
        query = {"run_id": runs[0], "metric_key": "loss", "max_results": 1100} | ({"page_token": token} if token else {})
        page = api.json("GET", "/api/2.0/mlflow/metrics/get-history", params=query)
        steps += [point["step"] for point in page["metrics"]]
        token = page.get("next_page_token", "")
    assert steps == list(range(3000))


def test_an_unknown_metric_has_an_empty_history(client, runs):
    assert client.get_metric_history(runs[0], "no such metric") == []


def test_the_bulk_interval_keeps_the_ends_of_every_run(api, runs):
    query = {"run_ids": runs, "metric_key": "loss", "max_results": 10, "start_step": 100, "end_step": 2000}
    points = api.json("GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval", params=query)["metrics"]
    for number, run_id in enumerate(runs):
        steps = [point["step"] for point in points if point["run_id"] == run_id]
        assert steps == sorted(steps) and {100, 2000} <= set(steps) and len(steps) < 20
        assert all(point["value"] == 10 * point["step"] + number for point in points if point["run_id"] == run_id)


def test_the_bulk_history_of_the_user_interface(api, runs):
    points = api.json("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": runs, "metric_key": "loss", "max_results": 4000})["metrics"]
    assert len(points) == 4000 and {point["run_id"] for point in points} == set(runs)
