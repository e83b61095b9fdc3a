"""ONNX Runtime alone in a loop: floor.py <file> <shape as 3,96,96> <seconds>; prints rows per second and the median time of one run in milliseconds."""

import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
x = np.zeros((1, *map(int, sys.argv[2].split(","))), dtype=np.float32)
times = []
until = time.perf_counter() + float(sys.argv[3])
while (begun := time.perf_counter()) < until:
    session.run(None, {"x": x})
    times.append(time.perf_counter() - begun)
print(len(times) / float(sys.argv[3]), sorted(times)[len(times) // 2] * 1000)
