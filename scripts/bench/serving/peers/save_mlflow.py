"""Saves a network as MLflow's ONNX flavour: save_mlflow.py <file> <folder>"""

import sys

import mlflow.onnx
import onnx

mlflow.onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=False)
