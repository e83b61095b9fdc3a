"""Keras with autologging, and a model of it."""

import mlflow
import numpy as np
import pytest

tensorflow = pytest.importorskip("tensorflow", reason="tensorflow is not installed")


@pytest.fixture
def fitted(iris):
    tensorflow.keras.utils.set_random_seed(1)
    model = tensorflow.keras.Sequential([tensorflow.keras.Input((4,)), tensorflow.keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, iris[0].to_numpy(), iris[1].to_numpy()


def test_training_is_logged_epoch_by_epoch(client, fitted):
    model, features, labels = fitted
    mlflow.tensorflow.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run() as run:
            model.fit(features, labels, epochs=4, validation_split=0.2, verbose=0)
    finally:
        mlflow.tensorflow.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["epochs"] == "4" and {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(found.data.metrics)
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [0, 1, 2, 3]
    assert "model_summary.txt" in [file.path for file in client.list_artifacts(run.info.run_id)]


def test_a_keras_model_is_logged_registered_and_loaded(fitted, name):
    model, features, _ = fitted
    with mlflow.start_run():
        signature = mlflow.models.infer_signature(features, model.predict(features, verbose=0))
        mlflow.tensorflow.log_model(model, name="model", signature=signature, registered_model_name=name, pip_requirements=["tensorflow"])
    loaded = mlflow.tensorflow.load_model(f"models:/{name}/1")
    assert np.allclose(loaded.predict(features, verbose=0), model.predict(features, verbose=0))
