"""API keys and accounts, as the client sends them: a token, or user name and password."""

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient


@pytest.fixture
def key(api, name):
    """Makes an API key of a role."""
    made = []

    def make(role: str) -> str:
        created = api.json("POST", "/api/v1/keys", json={"name": f"{name}-{role}", "role": role})
        made.append(created["keyId"])
        return created["key"]

    yield make
    for key_id in made:
        assert api.call("DELETE", f"/api/v1/keys/{key_id}").status_code == 204


def as_token(monkeypatch, key: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", key)


def as_password(monkeypatch, key: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "whoever")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", key)


@pytest.mark.parametrize("present", [as_token, as_password])
def test_an_editor_logs_and_registers(key, monkeypatch, name, present):
    present(monkeypatch, key("editor"))
    mlflow.set_experiment(f"{name}-mine")
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
        mlflow.log_text("x", "folder/file.txt")
    client = MlflowClient()
    client.create_registered_model(name)
    assert client.create_model_version(name, f"{run.info.artifact_uri}/folder").version == "1"
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/folder/file.txt") == "x"


@pytest.mark.parametrize("present", [as_token, as_password])
def test_a_wrong_key_is_refused_though_no_key_would_do_here(experiment, monkeypatch, present):
    present(monkeypatch, "no-such-key")
    with pytest.raises(MlflowException) as refused:
        MlflowClient().get_experiment(experiment.experiment_id)
    assert refused.value.get_http_status_code() == 401


def test_a_viewer_may_not_change_anything(key, experiment, monkeypatch, name):
    run_id = MlflowClient().create_run(experiment.experiment_id).info.run_id
    as_token(monkeypatch, key("viewer"))
    client = MlflowClient()
    for change in (
        lambda: client.create_experiment(f"{name}-mine"),
        lambda: client.log_metric(run_id, "m", 1),
        lambda: client.log_text(run_id, "x", "x.txt"),
        lambda: client.create_registered_model(name),
    ):
        with pytest.raises(Exception) as refused:
            change()
        assert "403" in str(refused.value) or "PERMISSION_DENIED" in str(refused.value)


def test_an_editor_may_not_promote(key, client, network, monkeypatch, name):
    with mlflow.start_run():
        mlflow.onnx.log_model(network, name="model", registered_model_name=name, pip_requirements=["onnx"])
    as_token(monkeypatch, key("editor"))
    with pytest.raises(MlflowException) as refused:
        MlflowClient().transition_model_version_stage(name, "1", "Production")
    assert refused.value.get_http_status_code() == 403


PASSWORD = "a long enough password, 42"


@pytest.fixture
def account(url, name):
    """An account of its own, made with MLflow's client for them."""
    accounts = AuthServiceClient(url)
    accounts.create_user(name, PASSWORD)
    yield name
    accounts.delete_user(name)


def log_in(monkeypatch, name: str, password: str = PASSWORD) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    return MlflowClient()


def test_an_account_works_with_its_own_things(account, monkeypatch):
    client = log_in(monkeypatch, account)
    created = client.create_experiment(f"{account}-mine")
    run = client.create_run(created)
    client.log_metric(run.info.run_id, "m", 1)
    client.log_text(run.info.run_id, "x", "x.txt")
    assert client.get_run(run.info.run_id).data.metrics == {"m": 1.0}


def test_a_wrong_password_is_refused(account, monkeypatch):
    with pytest.raises(MlflowException) as refused:
        log_in(monkeypatch, account, "wrong").search_experiments()
    assert refused.value.get_http_status_code() == 401


def test_rights_on_an_experiment_are_granted_and_taken_back(url, account, experiment, monkeypatch):
    accounts = AuthServiceClient(url)
    run_id = MlflowClient().create_run(experiment.experiment_id).info.run_id
    for permission, writes in (("EDIT", True), ("READ", False)):
        accounts.grant_user_permission(account, "experiment", experiment.experiment_id, permission)
        assert accounts.get_user_permission(account, "experiment", experiment.experiment_id).permission == permission
        with monkeypatch.context() as own:
            client = log_in(own, account)
            assert client.get_run(run_id).info.run_id == run_id
            if writes:
                client.log_metric(run_id, "m", 1)
            else:
                with pytest.raises(MlflowException, match="PERMISSION_DENIED|Permission denied"):
                    client.log_metric(run_id, "m", 2)
    accounts.grant_user_permission(account, "experiment", experiment.experiment_id, "NO_PERMISSIONS")
    with monkeypatch.context() as own, pytest.raises(MlflowException, match="PERMISSION_DENIED|Permission denied|not found"):
        log_in(own, account).get_run(run_id)
