"""Experiments: names, tags, deletion with all runs, restoring."""

import mlflow
import pytest
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException


def test_the_default_experiment_is_there(client):
    assert client.get_experiment("0").name == "Default"


def test_a_name_is_taken_once(client, name):
    created = client.create_experiment(f"{name}-a", tags={"team": "pike"})
    assert client.get_experiment(created).tags == {"team": "pike"}
    with pytest.raises(MlflowException, match=rf"Experiment\(name={name}-a\) already exists") as refused:
        client.create_experiment(f"{name}-a")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_unknown_ones_are_told_apart_from_bad_ones(client):
    assert client.get_experiment_by_name("no such experiment") is None
    with pytest.raises(MlflowException, match="No Experiment with id=99999999 exists") as unknown:
        client.get_experiment("99999999")
    assert unknown.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_artifacts_live_behind_the_server(experiment):
    assert experiment.artifact_location == f"mlflow-artifacts:/{experiment.experiment_id}"


def test_renaming_and_tags(client, experiment, name):
    client.rename_experiment(experiment.experiment_id, f"{name}-renamed")
    client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "about *fish*")
    client.set_experiment_tag(experiment.experiment_id, "gone", "soon")
    client.delete_experiment_tag(experiment.experiment_id, "gone")
    found = client.get_experiment_by_name(f"{name}-renamed")
    assert found.experiment_id == experiment.experiment_id
    assert found.tags["mlflow.note.content"] == "about *fish*" and "gone" not in found.tags
    assert found.last_update_time >= found.creation_time


def test_deletion_takes_the_runs_along_and_restoring_brings_them_back(client, experiment, name):
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
    client.delete_experiment(experiment.experiment_id)
    assert client.get_experiment(experiment.experiment_id).lifecycle_stage == "deleted"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="deleted"):
        mlflow.set_experiment(name)
    assert experiment.experiment_id in [found.experiment_id for found in client.search_experiments(ViewType.DELETED_ONLY)]
    client.restore_experiment(experiment.experiment_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"
    mlflow.set_experiment(name)


def test_experiments_are_searched_page_by_page(client, name):
    wanted = [client.create_experiment(f"{name}-{index:02}", tags={"group": name}) for index in range(12)]
    found, token = [], None
    while True:
        page = client.search_experiments(filter_string=f"tags.group = '{name}'", order_by=["name ASC"], max_results=5, page_token=token)
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if not token:
            break
    assert found == wanted
    assert [found.name for found in client.search_experiments(filter_string=f"name LIKE '{name}-1%'", order_by=["name DESC"])] == [f"{name}-11", f"{name}-10"]
