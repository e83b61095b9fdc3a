"""The server that many teams write themselves: FastAPI around ONNX Runtime, without batching."""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options)
app = FastAPI()


class Request(BaseModel):
    inputs: list


@app.post("/predict")
def predict(request: Request):
    x = np.asarray(request.inputs, dtype=np.float32)
    return {"predictions": session.run(None, {"x": x})[0].tolist()}
