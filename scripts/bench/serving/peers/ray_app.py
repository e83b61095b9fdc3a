"""Ray Serve with two replicas and its batching."""

import os

import numpy as np
from ray import serve


@serve.deployment(num_replicas=2, max_ongoing_requests=256, ray_actor_options={"num_cpus": 1})
class Classifier:
    def __init__(self, path: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.001)
    async def run(self, rows):
        answers = self.session.run(None, {"x": np.concatenate(rows)})[0]
        return [answers[index : index + 1].tolist() for index in range(len(rows))]

    async def __call__(self, request):
        body = await request.json()
        return {"predictions": await self.run(np.asarray(body["inputs"], dtype=np.float32))}


app = Classifier.bind(os.environ["MODEL_FILE"])
