import os
import uuid

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from skl2onnx import to_onnx

from host import Host


if "MLFLOW_TRACKING_URI" not in os.environ:
    pytest.exit("MLFLOW_TRACKING_URI is not set: python3 conformance/run.py starts a Millrace and sets it.", returncode=4)


class Api:
    """What the Python client does not offer: Millrace's own interface, and requests as they are on the wire."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")

    def call(self, method: str, path: str, **arguments) -> requests.Response:
        return requests.request(method, self.url + path, timeout=60, **arguments)

    def json(self, method: str, path: str, **arguments):
        response = self.call(method, path, **arguments)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()


@pytest.fixture(scope="session")
def url() -> str:
    return os.environ["MLFLOW_TRACKING_URI"].rstrip("/")


@pytest.fixture(scope="session")
def api(url) -> Api:
    return Api(url)


@pytest.fixture(scope="session")
def host() -> Host:
    return Host.load(os.environ["CONFORMANCE_HOST"])


@pytest.fixture
def client() -> MlflowClient:
    return MlflowClient()


@pytest.fixture
def name(request) -> str:
    """A name that no other test and no earlier time of this one has used."""
    return f"{request.node.originalname[:60]}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def experiment(name, url):
    """Every test works in an experiment of its own, on the server and not in a local file that the client would take instead; nothing of it stays active."""
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    yield mlflow.set_experiment(name)
    while mlflow.active_run():
        mlflow.end_run()
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (url, url)


@pytest.fixture(scope="session")
def iris():
    data = load_iris(as_frame=True)
    features = data.data.rename(columns=lambda column: column.replace(" (cm)", "").replace(" ", "_")).astype(np.float32)
    return features, data.target.rename("species")


@pytest.fixture(scope="session")
def classifier(iris):
    features, target = iris
    return LogisticRegression(max_iter=200).fit(features, target)


@pytest.fixture(scope="session")
def network(classifier, iris):
    """The classifier in ONNX: inputs `X`, outputs `label` and `probabilities`."""
    return to_onnx(classifier, iris[0].to_numpy()[:1], options={"zipmap": False})


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return pd.DataFrame({"number": [1.5, 2.5, 3.5], "word": ["eins", "zwei", "drei"], "truth": [True, False, True]})
