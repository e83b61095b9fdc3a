"""The model registry: versions from runs and logged models, stages, aliases, tags, and loading by each of them."""

import mlflow
import pytest
from mlflow.exceptions import MlflowException

# Working out what a model needs takes seconds, and nothing here looks at it.
FAST = {"pip_requirements": ["scikit-learn"]}


@pytest.fixture
def logged(classifier):
    """Logs the classifier in a run of its own."""

    def log():
        with mlflow.start_run() as run:
            mlflow.log_metric("accuracy", 0.9)
            info = mlflow.sklearn.log_model(classifier, name="model", **FAST)
        return run.info.run_id, info.model_id

    return log


@pytest.fixture
def versions(client, logged, name):
    """A registered model with three versions."""
    for _ in range(3):
        run_id, _ = logged()
        mlflow.register_model(f"runs:/{run_id}/model", name)
    return client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])


def test_loading_a_pickle_by_stage(client, versions, name, iris, classifier):
    client.transition_model_version_stage(name, "2", "Staging")
    assert answers(f"models:/{name}/Staging", iris, classifier)


def answers(uri, iris, classifier):
    features, _ = iris
    return list(mlflow.pyfunc.load_model(uri).predict(features)) == list(classifier.predict(features))


def test_registering_from_a_run_and_from_a_logged_model(client, logged, name):
    run_id, model_id = logged()
    first = mlflow.register_model(f"runs:/{run_id}/model", name, tags={"via": "run"})
    assert (first.version, first.run_id, first.status, first.current_stage, first.source) == ("1", run_id, "READY", "None", f"models:/{model_id}")
    second = mlflow.register_model(f"models:/{model_id}", name)
    assert (second.version, second.run_id) == ("2", run_id)
    assert client.get_model_version(name, "1").tags == {"via": "run"}
    registrations = mlflow.get_logged_model(model_id).tags["mlflow.modelVersions"]
    assert '"1"' in registrations and '"2"' in registrations
    with pytest.raises(MlflowException) as refused:
        client.create_registered_model(name)
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS" and f"Registered Model (name={name}) already exists" in str(refused.value)


def test_registering_while_logging(client, classifier, name):
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(classifier, name="model", registered_model_name=name, **FAST)
    assert str(info.registered_model_version) == "1" and client.get_model_version(name, "1").status == "READY"


@pytest.fixture
def networks(client, network, name):
    """A registered model with three versions that Millrace can serve."""
    for _ in range(3):
        with mlflow.start_run():
            mlflow.onnx.log_model(network, name="model", registered_model_name=name, **FAST)
    return client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])


def test_loading_by_stage_alias_version_and_run(client, networks, name, iris, classifier):
    client.transition_model_version_stage(name, "2", "production")
    client.set_registered_model_alias(name, "champion", "1")
    expected = list(classifier.predict(iris[0]))
    for uri in (f"models:/{name}/Production", f"models:/{name}@champion", f"models:/{name}/3", f"models:/{name}/latest", f"runs:/{networks[0].run_id}/model"):
        assert list(mlflow.pyfunc.load_model(uri).predict(iris[0].to_numpy())["label"]) == expected, uri
    with pytest.raises(MlflowException, match="No versions of model"):
        mlflow.pyfunc.load_model(f"models:/{name}/Staging")


def test_stages_and_archiving(client, networks, name):
    def stages():
        return [client.get_model_version(name, version).current_stage for version in "123"]

    client.transition_model_version_stage(name, "1", "Staging")
    client.transition_model_version_stage(name, "2", "Staging", archive_existing_versions=True)
    assert stages() == ["Archived", "Staging", "None"]
    client.transition_model_version_stage(name, "2", "Production")
    client.transition_model_version_stage(name, "3", "Production")
    assert stages() == ["Archived", "Archived", "Production"]
    assert {version.version for version in client.get_latest_versions(name, ["Production"])} == {"3"}
    assert {version.current_stage: version.version for version in client.get_latest_versions(name)} == {"Archived": "2", "Production": "3"}
    with pytest.raises(MlflowException, match="Invalid Model Version stage: Live. Value must be one of None, Staging, Production, Archived."):
        client.transition_model_version_stage(name, "1", "Live")


def test_aliases_move_and_go(client, versions, name):
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "challenger", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    assert client.get_registered_model(name).aliases == {"champion": "2", "challenger": "2"}
    assert set(client.get_model_version(name, "2").aliases) == {"champion", "challenger"}
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException, match="Registered model alias champion not found."):
        client.get_model_version_by_alias(name, "champion")
    client.delete_model_version(name, "2")
    assert client.get_registered_model(name).aliases == {}
    for reserved in ("latest", "v1"):
        with pytest.raises(MlflowException, match="reserved"):
            client.set_registered_model_alias(name, reserved, "1")


def test_tags_and_descriptions_of_models_and_versions(client, versions, name):
    client.set_registered_model_tag(name, "task", "species")
    client.set_registered_model_tag(name, "gone", "soon")
    client.delete_registered_model_tag(name, "gone")
    client.update_registered_model(name, "knows *fish*")
    client.set_model_version_tag(name, "1", "gate", "passed")
    client.set_model_version_tag(name, stage="None", key="by_stage", value="yes")
    client.delete_model_version_tag(name, "1", "gate")
    client.update_model_version(name, "1", "the first")
    model = client.get_registered_model(name)
    assert (model.tags, model.description) == ({"task": "species"}, "knows *fish*")
    assert client.get_model_version(name, "1").tags == {} and client.get_model_version(name, "1").description == "the first"
    assert client.get_model_version(name, "3").tags == {"by_stage": "yes"}


def test_a_renamed_model_keeps_everything(client, versions, name):
    client.set_registered_model_alias(name, "champion", "2")
    client.rename_registered_model(name, f"{name}-new")
    assert client.get_model_version_by_alias(f"{name}-new", "champion").version == "2"
    assert len(client.search_model_versions(f"name = '{name}-new'")) == 3
    with pytest.raises(MlflowException, match=f"Registered Model with name={name} not found"):
        client.get_registered_model(name)


def test_numbers_of_deleted_versions_are_not_given_again(client, versions, logged, name):
    client.delete_model_version(name, "3")
    with pytest.raises(MlflowException, match=rf"Model Version \(name={name}, version=3\) not found") as gone:
        client.get_model_version(name, "3")
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    run_id, _ = logged()
    assert mlflow.register_model(f"runs:/{run_id}/model", name).version == "4"


def test_a_deleted_model_is_gone(client, versions, name):
    client.delete_registered_model(name)
    assert client.search_registered_models(f"name = '{name}'") == [] and client.search_model_versions(f"name = '{name}'") == []


def test_a_version_is_copied_to_another_model(client, versions, name, iris, classifier):
    copied = client.copy_model_version(f"models:/{name}/2", f"{name}-production")
    assert copied.version == "1" and copied.run_id == versions[1].run_id
    assert answers(f"models:/{name}-production/1", iris, classifier)


def test_sources_on_the_servers_disk_are_refused(client, name):
    client.create_registered_model(name)
    for source in ("file:///etc", "/etc/passwd"):
        with pytest.raises(MlflowException, match="To use a local path as a model version") as refused:
            client.create_model_version(name, source)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("bad", ["a/b", "a:b", " "])
def test_names_that_addresses_could_not_hold_are_refused(client, bad):
    with pytest.raises(MlflowException, match="Invalid model name|Missing value|name"):
        client.create_registered_model(bad)


def test_models_and_versions_are_searched_page_by_page(client, versions, name):
    for index in range(5):
        client.create_registered_model(f"{name}-{index}", tags={"group": name, "index": str(index)})

    def all_pages(search, **arguments):
        found, token = [], None
        while True:
            page = search(page_token=token, **arguments)
            found += page
            token = page.token
            if not token:
                return found

    models = all_pages(client.search_registered_models, filter_string=f"tags.group = '{name}'", order_by=["name DESC"], max_results=2)
    assert [model.name for model in models] == [f"{name}-{index}" for index in (4, 3, 2, 1, 0)]
    assert {model.name for model in client.search_registered_models(f"name ILIKE '{name.upper()}-%' AND tags.index != '3'")} == {
        f"{name}-{index}" for index in (0, 1, 2, 4)
    }
    found = all_pages(client.search_model_versions, filter_string=f"name = '{name}'", order_by=["version_number DESC"], max_results=2)
    assert [version.version for version in found] == ["3", "2", "1"]
    assert [version.version for version in client.search_model_versions(f"run_id = '{versions[1].run_id}'")] == ["2"]


def test_prompts_are_kept_apart_from_models(client, name):
    mlflow.genai.register_prompt(name=name, template="Name the fish in {{ picture }}.", commit_message="first")
    mlflow.genai.register_prompt(name=name, template="Which fish is in {{ picture }}?")
    mlflow.genai.set_prompt_alias(name, alias="live", version=1)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@live").format(picture="it") == "Name the fish in it."
    assert [prompt.name for prompt in mlflow.genai.search_prompts(filter_string=f"name = '{name}'")] == [name]
    assert client.search_registered_models(f"name = '{name}'") == []
