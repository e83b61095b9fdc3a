"""What was logged with the client is served by Millrace, which answers as `mlflow` does; what cannot be served is refused with the cure."""

import subprocess
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import onnxruntime
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

FAST = {"pip_requirements": ["onnx"]}


@pytest.fixture
def registered(network, iris, classifier, name):
    features = iris[0].to_numpy()
    with mlflow.start_run():
        mlflow.log_metric("accuracy", 0.97)
        signature = infer_signature(features, mlflow_outputs(network, features))
        mlflow.onnx.log_model(network, name="model", signature=signature, input_example=features[:5], registered_model_name=name, **FAST)
    return name


def mlflow_outputs(network, features) -> dict:
    session = onnxruntime.InferenceSession(network.SerializeToString())
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: features}), strict=True))


def until(action, seconds: float = 90):
    """The first answer that is neither None nor a failed assertion."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = action()
            if found is not None:
                return found
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.2)


def infer(api, name: str, features) -> dict:
    body = {"inputs": [{"name": "X", "shape": list(features.shape), "datatype": "FP32", "data": features.ravel().tolist()}]}
    answer = api.json("POST", f"/v2/models/{name}/infer", json=body)
    assert answer["model_version"] == "1"
    return {output["name"]: np.array(output["data"]).reshape(output["shape"]) for output in answer["outputs"]}


def expect_the_same_answers(api, name, uri, iris):
    features = iris[0].to_numpy()[::7]
    expected = mlflow_outputs(mlflow.onnx.load_model(uri), features)
    answered = until(lambda: infer(api, name, features))
    assert list(answered["label"].ravel()) == list(expected["label"].ravel())
    assert np.allclose(answered["probabilities"], expected["probabilities"], atol=1e-5)


def test_an_onnx_model_is_promoted_by_the_client_and_served(api, client, registered, iris):
    client.transition_model_version_stage(registered, "1", "Production")
    expect_the_same_answers(api, registered, f"models:/{registered}/Production", iris)


def test_public_clients_of_the_inference_protocol(api, client, registered, iris):
    client.transition_model_version_stage(registered, "1", "Production")
    until(lambda: infer(api, registered, iris[0].to_numpy()[:1]))
    program = str(Path(__file__).parent / "oip_client.py")
    ended = subprocess.run([sys.executable, program, api.url, registered], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_onnx_model_passes_the_gates_and_is_served(api, client, network, iris, name):
    policy = api.json("GET", f"/api/v1/promotions/policies/{name}")["policy"]
    api.json("PUT", f"/api/v1/promotions/policies/{name}", json=policy | {"metrics": {"accuracy": {"min": 0.9}}, "approval": "auto"})
    features = iris[0].to_numpy()
    with mlflow.start_run():
        mlflow.log_metric("accuracy", 0.97)
        signature = infer_signature(features, mlflow_outputs(network, features))
        mlflow.onnx.log_model(network, name="model", signature=signature, input_example=features[:5], registered_model_name=name, **FAST)

    def decided():
        decisions = api.json("GET", f"/api/v1/promotions/decisions?model={name}")["decisions"]
        states = [decision["state"] for decision in decisions]
        assert "rejected" not in states and "failed" not in states, decisions
        return states if "promoted" in states else None

    until(decided)
    assert client.get_model_version(name, "1").current_stage == "Production"
    expect_the_same_answers(api, name, f"models:/{name}/1", iris)


def test_a_pickle_is_tracked_and_registered_but_not_served(api, client, classifier, name):
    with mlflow.start_run():
        mlflow.sklearn.log_model(classifier, name="model", registered_model_name=name, pip_requirements=["scikit-learn"])
    assert client.get_model_version(name, "1").status == "READY"
    with pytest.raises(MlflowException, match="cannot be served.*sklearn.*ONNX") as refused:
        client.transition_model_version_stage(name, "1", "Production")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.get_model_version(name, "1").current_stage == "None"
    assert api.call("POST", f"/v2/models/{name}/infer", json={"inputs": []}).status_code in (400, 404)
