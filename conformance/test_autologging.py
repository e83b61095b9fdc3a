"""Autologging of scikit-learn and datasets as inputs."""

import json

import mlflow
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


@pytest.fixture
def autologging():
    mlflow.sklearn.autolog(log_input_examples=True, log_model_signatures=True, max_tuning_runs=3, silent=True)
    yield
    mlflow.sklearn.autolog(disable=True)


def test_a_fit_is_logged_with_its_model_data_and_scores(client, iris, autologging):
    train, test, train_labels, test_labels = train_test_split(*iris, random_state=1)
    with mlflow.start_run() as run:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(train, train_labels)
        model.score(test, test_labels)
    found = client.get_run(run.info.run_id)
    assert found.data.params["logisticregression__C"] == "0.5" and found.data.tags["estimator_name"] == "Pipeline"
    assert found.data.metrics["training_accuracy_score"] > 0.9 and any(key.startswith("Pipeline_score") for key in found.data.metrics)
    assert [entry.tags[0].value for entry in found.inputs.dataset_inputs] == ["train"]
    assert "training_confusion_matrix.png" in [file.path for file in client.list_artifacts(run.info.run_id)]
    (output,) = found.outputs.model_outputs
    logged = mlflow.get_logged_model(output.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id
    assert {metric.key for metric in logged.metrics} >= {"training_accuracy_score", "training_f1_score"}
    loaded = mlflow.pyfunc.load_model(f"models:/{logged.model_id}")
    assert list(loaded.predict(test)) == list(model.predict(test))


def test_a_grid_search_logs_a_run_for_each_of_the_best(client, experiment, iris, autologging):
    with mlflow.start_run() as run:
        GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.01, 0.1, 1, 10, 100]}, cv=2).fit(*iris)
    children = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert len(children) == 3 and all("mean_test_score" in child.data.metrics for child in children)
    assert "best_C" in client.get_run(run.info.run_id).data.params


def test_a_dataset_is_logged_as_an_input_and_found_by_it(client, experiment, frame):
    dataset = mlflow.data.from_pandas(frame, source="https://example.org/fish.csv", name="fish", targets="truth")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training", tags={"version": "7"})
        mlflow.log_input(dataset, context="training", tags={"version": "8"})
        mlflow.log_metric("loss", 1.0, dataset=dataset)
    (entry,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest, entry.dataset.source_type) == ("fish", dataset.digest, "http")
    assert json.loads(entry.dataset.profile) == {"num_rows": 3, "num_elements": 9}
    assert {tag.key: tag.value for tag in entry.tags} == {"mlflow.data.context": "training", "version": "7"}
    assert mlflow.data.get_source(entry.dataset).url == "https://example.org/fish.csv"
    for filter_string, count in {"dataset.name = 'fish'": 1, "datasets.context = 'training'": 1, "dataset.name = 'bird'": 0}.items():
        assert len(client.search_runs([experiment.experiment_id], filter_string)) == count


def test_many_inputs_at_once(client, experiment):
    datasets = [mlflow.data.from_pandas(pd.DataFrame({"x": [index]}), name=f"part-{index}") for index in range(30)]
    with mlflow.start_run() as run:
        mlflow.log_inputs(datasets=datasets, contexts=["training"] * 30, tags_list=[None] * 30)
    assert len(client.get_run(run.info.run_id).inputs.dataset_inputs) == 30
