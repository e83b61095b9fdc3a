"""Logged models: signature, input example, loading by every kind of address, search."""

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature


def test_an_sklearn_model_with_signature_and_example(client, iris, classifier):
    features, _ = iris
    with mlflow.start_run() as run:
        mlflow.log_params({"C": 1.0})
        mlflow.log_metric("accuracy", 0.9)
        info = mlflow.sklearn.log_model(
            classifier, name="model", signature=infer_signature(features, classifier.predict(features)), input_example=features[:2]
        )
    assert info.model_uri == f"models:/{info.model_id}"
    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert list(mlflow.sklearn.load_model(uri).predict(features)) == list(classifier.predict(features))
        loaded = mlflow.pyfunc.load_model(uri)
        assert loaded.metadata.signature.inputs.input_names() == list(features.columns)
        assert loaded.input_example.shape == (2, 4)
        with pytest.raises(MlflowException, match="schema"):
            loaded.predict(features.drop(columns=["petal_width"]))
    logged = client.get_logged_model(info.model_id)
    assert (logged.status, logged.name, logged.params) == ("READY", "model", {"C": "1.0"})
    assert [(metric.key, metric.value, metric.model_id) for metric in logged.metrics] == [("accuracy", 0.9, info.model_id)]
    assert [output.model_id for output in client.get_run(run.info.run_id).outputs.model_outputs] == [info.model_id]


def test_an_onnx_model_with_signature_and_example(client, iris, classifier, network):
    features = iris[0].to_numpy()
    with mlflow.start_run() as run:
        info = mlflow.onnx.log_model(network, name="network", signature=infer_signature(features, classifier.predict(features)), input_example=features[:2])
    answer = mlflow.pyfunc.load_model(info.model_uri).predict(features)
    assert list(answer["label"]) == list(classifier.predict(iris[0]))
    assert mlflow.onnx.load_model(f"runs:/{run.info.run_id}/network").graph.input[0].name == network.graph.input[0].name
    paths = {file.path for file in client.list_logged_model_artifacts(info.model_id)}
    assert {"MLmodel", "model.onnx", "conda.yaml", "python_env.yaml", "requirements.txt", "input_example.json"} <= paths


def test_a_model_without_a_run(client, classifier, iris):
    info = mlflow.sklearn.log_model(classifier, name="alone", pip_requirements=["scikit-learn"])
    assert client.get_logged_model(info.model_id).source_run_id in (None, "")
    assert list(mlflow.sklearn.load_model(info.model_uri).predict(iris[0][:3])) == [0, 0, 0]


def test_a_model_of_any_python_code(tmp_path):
    class Doubler(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input: list[int]) -> list[int]:
            return [2 * number for number in model_input]

    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="doubler", python_model=Doubler(), input_example=[1, 2])
    assert mlflow.pyfunc.load_model(info.model_uri).predict([3]) == [6]


def test_metrics_after_a_model_are_logged_before_it_too(client, classifier):
    with mlflow.start_run():
        mlflow.log_metric("nothing", float("nan"))
        info = mlflow.sklearn.log_model(classifier, name="model", pip_requirements=["scikit-learn"])
        mlflow.log_metric("later", 3.0, model_id=info.model_id)
    assert {metric.key for metric in client.get_logged_model(info.model_id).metrics} == {"nothing", "later"}


def test_external_models_tags_params_and_life(client, experiment):
    model = mlflow.initialize_logged_model(name="step", params={"a": "1"}, tags={"t": "v"}, model_type="agent")
    assert client.get_logged_model(model.model_id).status == "PENDING"
    mlflow.log_model_params({"b": "2"}, model.model_id)
    mlflow.set_logged_model_tags(model.model_id, {"u": "w"})
    client.delete_logged_model_tag(model.model_id, "t")
    mlflow.finalize_logged_model(model.model_id, "READY")
    found = client.get_logged_model(model.model_id)
    assert (found.status, found.params, found.model_type) == ("READY", {"a": "1", "b": "2"}, "agent")
    assert found.tags["u"] == "w" and "t" not in found.tags
    client.delete_logged_model(model.model_id)
    with pytest.raises(MlflowException, match=f"Logged model with ID '{model.model_id}' not found"):
        client.get_logged_model(model.model_id)
    assert client.search_logged_models([experiment.experiment_id]) == []


def test_models_are_searched_by_metric_param_tag_and_page(client, experiment):
    for index in range(7):
        with mlflow.start_run():
            model = mlflow.initialize_logged_model(name=f"model-{index}", params={"depth": str(index)}, tags={"even": str(index % 2 == 0)})
            mlflow.log_metric("score", index / 10, model_id=model.model_id)
            mlflow.finalize_logged_model(model.model_id, "READY")

    def names(filter_string, **more):
        return [model.name for model in client.search_logged_models([experiment.experiment_id], filter_string, **more)]

    by_score = [{"field_name": "metrics.score", "ascending": False}]
    assert names("metrics.score > 0.45", order_by=by_score) == ["model-6", "model-5"]
    assert names("params.depth = '3'") == ["model-3"]
    assert names("tags.even = 'True' AND name LIKE 'model-%'", order_by=[{"field_name": "name"}]) == [f"model-{index}" for index in (0, 2, 4, 6)]
    found, token = [], None
    while True:
        page = client.search_logged_models([experiment.experiment_id], max_results=3, order_by=by_score, page_token=token)
        found += [model.name for model in page]
        token = page.token
        if not token:
            break
    assert found == [f"model-{index}" for index in range(6, -1, -1)]
    table = mlflow.search_logged_models([experiment.experiment_id], "metrics.score >= 0.5")
    assert len(table) == 2 and np.all(table["model_type"].fillna("") == "")
