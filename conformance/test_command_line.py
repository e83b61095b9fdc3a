"""The commands of `mlflow` that people know."""

import subprocess
import sys

import mlflow
import pytest
from click.testing import CliRunner
from mlflow.cli import cli


def mlflow_command(*arguments: str) -> str:
    """Runs a command in this process: starting Python and importing the client anew takes seconds each time."""
    ended = CliRunner().invoke(cli, arguments, terminal_width=300)
    assert ended.exit_code == 0, f"{ended.output}\n{ended.exception}"
    return ended.output


def test_the_program_itself(experiment, name):
    listed = subprocess.run([sys.executable, "-m", "mlflow", "experiments", "search"], capture_output=True, text=True, timeout=200)
    assert listed.returncode == 0 and name in listed.stdout, listed.stderr


def test_experiments(client, experiment, name):
    mlflow_command("experiments", "create", "--experiment-name", f"{name}-cli")
    found = client.get_experiment_by_name(f"{name}-cli")
    listed = mlflow_command("experiments", "search")
    assert f"{name}-cli" in listed and name in listed
    mlflow_command("experiments", "rename", "--experiment-id", found.experiment_id, "--new-name", f"{name}-renamed")
    mlflow_command("experiments", "delete", "--experiment-id", found.experiment_id)
    assert client.get_experiment(found.experiment_id).lifecycle_stage == "deleted"
    mlflow_command("experiments", "restore", "--experiment-id", found.experiment_id)
    assert client.get_experiment(found.experiment_id).name == f"{name}-renamed"


def test_runs(client, experiment, tmp_path):
    with mlflow.start_run(run_name="from python") as run:
        mlflow.log_metric("m", 1)
    run_id = run.info.run_id
    assert run_id in mlflow_command("runs", "list", "--experiment-id", experiment.experiment_id)
    assert '"m": 1.0' in mlflow_command("runs", "describe", "--run-id", run_id)
    mlflow_command("experiments", "csv", "--experiment-id", experiment.experiment_id, "--filename", str(tmp_path / "runs.csv"))
    assert run_id in (tmp_path / "runs.csv").read_text()
    mlflow_command("runs", "delete", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    mlflow_command("runs", "restore", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


def test_artifacts(client, experiment, tmp_path):
    run_id = client.create_run(experiment.experiment_id).info.run_id
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a b.txt").write_text("fish")
    mlflow_command("artifacts", "log-artifacts", "--local-dir", str(tmp_path / "in"), "--run-id", run_id, "--artifact-path", "folder")
    mlflow_command("artifacts", "log-artifact", "--local-file", str(tmp_path / "in" / "a b.txt"), "--run-id", run_id)
    assert '"path": "a b.txt"' in mlflow_command("artifacts", "list", "--run-id", run_id)
    mlflow_command("artifacts", "download", "--run-id", run_id, "--artifact-path", "folder", "--dst-path", str(tmp_path / "out"))
    assert (tmp_path / "out" / "folder" / "a b.txt").read_text() == "fish"


def test_a_registered_model_answers_on_the_command_line(classifier, iris, tmp_path, name):
    features, _ = iris
    with mlflow.start_run():
        mlflow.sklearn.log_model(classifier, name="model", registered_model_name=name, pip_requirements=["scikit-learn"])
    features[:3].to_csv(tmp_path / "in.csv", index=False)
    arguments = ("--input-path", str(tmp_path / "in.csv"), "--content-type", "csv", "--env-manager", "local")
    mlflow_command("models", "predict", "--model-uri", f"models:/{name}/1", *arguments, "--output-path", str(tmp_path / "out.json"))
    assert (tmp_path / "out.json").read_text().replace(" ", "") == '{"predictions":[0,0,0]}'


def test_an_error_of_the_server_is_told(experiment):
    with pytest.raises(AssertionError, match="not found"):
        mlflow_command("runs", "describe", "--run-id", "0" * 32)
