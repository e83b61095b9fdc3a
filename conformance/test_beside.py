"""What Millrace has beside the MLflow interface for those who work with runs."""

import csv
import io

import mlflow
import pytest


@pytest.fixture
def three_runs(client, experiment):
    found = []
    for number in range(3):
        with mlflow.start_run() as run:
            mlflow.log_params({"depth": number, "optimizer": "adam"})
            mlflow.log_metric("accuracy", [0.5, 0.9, 0.7][number])
        found.append(run.info.run_id)
    return found


def test_runs_side_by_side(api, three_runs):
    compared = api.json("GET", "/api/v1/runs/compare", params={"run_ids": ",".join(three_runs)})
    assert [run["runId"] for run in compared["runs"]] == three_runs
    answer = api.call("GET", "/api/v1/runs/compare", params={"run_ids": ",".join(three_runs), "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv") and all(run_id in answer.text for run_id in three_runs)
    assert len(list(csv.reader(io.StringIO(answer.text)))) > 1


@pytest.mark.parametrize(("mode", "place"), [("max", 1), ("min", 0)])
def test_the_best_run_of_an_experiment(api, experiment, three_runs, mode, place):
    best = api.json("GET", f"/api/v1/experiments/{experiment.experiment_id}/best", params={"metric": "accuracy", "mode": mode})
    assert [entry["runId"] for entry in best["runs"]] == [three_runs[place]]


def test_the_address_that_the_client_prints_is_a_page(api):
    page = api.call("GET", "/", headers={"accept": "text/html"})
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/2.0/mlflow/traces/search", "/api/3.0/mlflow/traces/search", "/api/2.0/mlflow/no-such-thing", "/api/3.0/mlflow/scorers/list"])
def test_what_is_not_offered_is_not_found(api, path):
    answer = api.call("GET", path)
    assert answer.status_code == 404 and answer.json()["error_code"] == "ENDPOINT_NOT_FOUND"


def test_health_and_version(api):
    assert api.call("GET", "/health").text == "OK" and api.call("GET", "/version").text[0].isdigit()
