"""BentoML with its adaptive batching."""

import os

import bentoml
import numpy as np


@bentoml.service(workers=2, traffic={"timeout": 30, "concurrency": 512})
class Classifier:
    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options)

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def predict(self, inputs: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"x": inputs.astype(np.float32)})[0]
