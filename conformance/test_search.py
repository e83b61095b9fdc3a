"""Searching runs: filters, orders, pages, and a grid search's best ten."""

import itertools

import mlflow
import pytest
from mlflow.exceptions import MlflowException


@pytest.fixture
def runs(client, experiment):
    """Ten runs; the value of each is its number, every other one has a tag, the last has no metric."""
    for number in range(10):
        run = client.create_run(experiment.experiment_id, run_name=f"run-{number}", start_time=1000 + number)
        if number < 9:
            client.log_metric(run.info.run_id, "score", number / 10)
        client.log_param(run.info.run_id, "depth", str(number % 3))
        if number % 2:
            client.set_tag(run.info.run_id, "odd one", "100%")
        client.set_terminated(run.info.run_id, "FAILED" if number == 4 else "FINISHED")

    def search(filter_string="", order_by=("start_time ASC",)):
        found = client.search_runs([experiment.experiment_id], filter_string, order_by=list(order_by))
        return [int(run.info.run_name[4:]) for run in found]

    return search


@pytest.mark.parametrize(
    ("filter_string", "expected"),
    [
        ("metrics.score > 0.55", [6, 7, 8]),
        ("metrics.score >= 0.2 and metrics.score < 4e-1", [2, 3]),
        ("metric.score = 0", [0]),
        ("params.depth = '1'", [1, 4, 7]),
        ("parameters.depth != '1' AND tags.`odd one` LIKE '1%'", [3, 5, 9]),
        ("tags.\"odd one\" = '100%' AND params.depth = \"0\"", [3, 9]),
        ("tags.`odd one` IS NULL AND params.depth IS NOT NULL", [0, 2, 4, 6, 8]),
        ("attributes.status = 'FAILED'", [4]),
        ("status != 'FINISHED'", [4]),
        ("run_name ILIKE 'RUN-_' AND start_time >= 1008", [8, 9]),
        ("`Run name` = 'run-3'", [3]),
        ("metrics.score > 100", []),
        ("params.unknown = 'x'", []),
    ],
)
def test_filters(runs, filter_string, expected):
    assert runs(filter_string) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["metrics.score DESC"], [8, 7, 6, 5, 4, 3, 2, 1, 0, 9]),
        (["metrics.score ASC"], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (["params.depth desc", "start_time"], [2, 5, 8, 1, 4, 7, 0, 3, 6, 9]),
        (["attributes.start_time DESC"], list(range(9, -1, -1))),
        ([], list(range(9, -1, -1))),
    ],
)
def test_orders(runs, order, expected):
    assert runs(order_by=order) == expected


@pytest.mark.parametrize(
    ("filter_string", "text"),
    [
        ("metrics.score > 'a'", "."),
        ("metrics.score > 0.5 OR metrics.score < 0.1", "Invalid clause"),
        ("color = 'red'", "Invalid attribute key"),
        ("PARAMS.depth = '1'", "Invalid entity type"),
        ("params.depth = 1", "."),
        ("params.depth > '1'", "."),
        ("status IN ('FAILED')", "Only .*run_id.* comparison with a list of quoted string values"),
        ("run_id IN ()", "."),
    ],
)
def test_bad_filters_are_refused_with_what_is_wrong(runs, filter_string, text):
    with pytest.raises(MlflowException, match=text) as refused:
        runs(filter_string)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_runs_are_found_by_their_ids(client, experiment, runs):
    ids = [run.info.run_id for run in client.search_runs([experiment.experiment_id], order_by=["start_time ASC"])]
    chosen = ", ".join(f"'{run_id}'" for run_id in ids[:3])
    assert runs(f"run_id IN ({chosen})") == [0, 1, 2] and runs(f"attributes.run_id NOT IN ({chosen})") == [3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("size", [1, 3, 5, 10, 50])
def test_pages_of_every_size_hold_each_run_once(client, experiment, runs, size):
    found, token = [], None
    while True:
        page = client.search_runs([experiment.experiment_id], order_by=["params.depth ASC"], max_results=size, page_token=token)
        assert len(page) <= size
        found += [run.info.run_id for run in page]
        token = page.token
        if not token:
            break
        assert len(page) == size
    assert len(found) == 10 == len(set(found))


def test_runs_of_several_experiments_as_a_table(client, experiment, runs, name):
    other = client.create_experiment(f"{name}-other")
    client.log_metric(client.create_run(other).info.run_id, "score", 7)
    table = mlflow.search_runs([experiment.experiment_id, other], order_by=["metrics.score DESC"])
    assert len(table) == 11 and table["metrics.score"][0] == 7
    by_name = mlflow.search_runs(experiment_names=[f"{name}-other"])
    assert list(by_name["metrics.score"]) == [7]


def test_limits_of_a_page(client, experiment):
    for size in (0, 50_001):
        with pytest.raises(MlflowException, match="max_results"):
            client.search_runs([experiment.experiment_id], max_results=size)
    with pytest.raises(MlflowException, match="Invalid page token"):
        client.search_runs([experiment.experiment_id], page_token="no such token")


def test_a_grid_search_of_36_combinations_and_its_best_ten(client, experiment):
    grid = list(itertools.product([0.001, 0.01, 0.1], [16, 32, 64], [1, 2], ["adam", "sgd"]))
    assert len(grid) == 36
    scores = {}
    with mlflow.start_run(run_name="grid") as parent:
        for number, (rate, batch, layers, optimizer) in enumerate(grid):
            with mlflow.start_run(nested=True) as run:
                mlflow.log_params({"rate": rate, "batch": batch, "layers": layers, "optimizer": optimizer})
                for epoch in range(5):
                    mlflow.log_metrics({"val_accuracy": (number * 7 % 36 + epoch / 10) / 40, "loss": 1 / (epoch + 1)}, step=epoch)
            scores[run.info.run_id] = (number * 7 % 36 + 0.4) / 40
    best = client.search_runs(
        [experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["metrics.val_accuracy DESC"], max_results=10
    )
    assert [run.info.run_id for run in best] == sorted(scores, key=scores.get, reverse=True)[:10]
    adam = client.search_runs([experiment.experiment_id], "params.optimizer = 'adam' AND params.layers = '2' AND metrics.val_accuracy > 0.5")
    assert all(run.data.params["optimizer"] == "adam" and run.data.metrics["val_accuracy"] > 0.5 for run in adam) and adam
