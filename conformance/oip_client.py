"""Asks a served model with public clients of the Open Inference Protocol: NVIDIA's `tritonclient[http]` and, where it is installed, `kserve`.

    python oip_client.py http://127.0.0.1:8080 my-model [--api-key KEY]

Inputs are made from the model's own metadata. Exits with 1 when anything failed; the last line says how many.
"""

import argparse
import asyncio
import sys
import traceback
from urllib.parse import urlsplit

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

ROWS = 5
RANDOM = np.random.default_rng(7)


class Context:
    def __init__(self, base_url: str, model: str, api_key: str | None):
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.api_key = api_key
        address = urlsplit(self.base_url)
        self.client = triton.InferenceServerClient(address.netloc, ssl=address.scheme == "https", concurrency=4)
        self.metadata = self.client.get_model_metadata(model, headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        """A new one for each call: the client adds the headers of a request to the dictionary that it is given."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def infer(self, inputs, **options):
        return self.client.infer(self.model, inputs, headers=self.headers, **options)


def values(datatype: str, shape) -> np.ndarray:
    if datatype == "BOOL":
        return RANDOM.integers(0, 2, shape).astype(bool)
    if datatype == "BYTES":
        return np.array([f"text é {index}".encode() for index in range(int(np.prod(shape)))], dtype=object).reshape(shape)
    if datatype.startswith("FP"):
        return RANDOM.random(shape).astype(triton_to_np_dtype(datatype))
    return RANDOM.integers(0, 100, shape).astype(triton_to_np_dtype(datatype))


def arrays(context: Context, rows: int = ROWS) -> dict[str, np.ndarray]:
    def shape(tensor):
        return [size if size != -1 else rows if axis == 0 else 2 for axis, size in enumerate(tensor["shape"])]

    return {tensor["name"]: values(tensor["datatype"], shape(tensor)) for tensor in context.metadata["inputs"]}


def datatype_of(context: Context, name: str) -> str:
    return next(tensor["datatype"] for tensor in context.metadata["inputs"] if tensor["name"] == name)


def tensors(context: Context, data: dict[str, np.ndarray], binary: bool) -> list:
    made = []
    for name, array in data.items():
        tensor = triton.InferInput(name, list(array.shape), datatype_of(context, name))
        # Half-precision floats have no JSON form in this client.
        tensor.set_data_from_numpy(array, binary_data=binary or array.dtype == np.float16)
        made.append(tensor)
    return made


def wanted(context: Context, binary: bool) -> list:
    return [triton.InferRequestedOutput(output["name"], binary_data=binary or output["datatype"] == "FP16") for output in context.metadata["outputs"]]


def answers(context: Context, result) -> dict[str, np.ndarray]:
    return {output["name"]: result.as_numpy(output["name"]) for output in context.metadata["outputs"]}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], exactly: bool = True) -> None:
    assert one.keys() == other.keys()
    for name in one:
        left, right = (comparable(outputs[name]) for outputs in (one, other))
        assert left.shape == right.shape, f"{name}: {left.shape} and {right.shape}"
        close = exactly or left.dtype.kind not in "fc"
        assert np.array_equal(left, right) if close else np.allclose(left, right, rtol=1e-4, atol=1e-5), f"{name} differs"


def comparable(array: np.ndarray) -> np.ndarray:
    if array.dtype != object:
        return array
    return np.array([item.decode() if isinstance(item, bytes) else item for item in array.ravel()]).reshape(array.shape)


def test_health(context):
    assert context.client.is_server_live(headers=context.headers)
    assert context.client.is_server_ready(headers=context.headers)
    assert context.client.is_model_ready(context.model, headers=context.headers)
    assert not context.client.is_model_ready("there-is-no-such-model", headers=context.headers)


def test_metadata(context):
    server = context.client.get_server_metadata(headers=context.headers)
    assert {"binary_tensor_data", "model_repository", "statistics"} <= set(server["extensions"]), server
    assert context.metadata["name"] == context.model and context.metadata["inputs"] and context.metadata["outputs"]
    for version in context.metadata["versions"]:
        assert context.client.is_model_ready(context.model, version, headers=context.headers)
        assert context.client.get_model_metadata(context.model, version, headers=context.headers)["inputs"] == context.metadata["inputs"]


def test_binary_equals_json(context):
    data = arrays(context)
    binary = answers(context, context.infer(tensors(context, data, True), outputs=wanted(context, True)))
    for inputs_binary, outputs_binary in ((False, False), (True, False), (False, True)):
        same(binary, answers(context, context.infer(tensors(context, data, inputs_binary), outputs=wanted(context, outputs_binary))))
    # Without a list of outputs the client asks for all of them as bytes.
    same(binary, answers(context, context.infer(tensors(context, data, True))))


def test_rows_of_a_batch(context):
    data = arrays(context)
    if any(tensor["shape"][:1] != [-1] for side in ("inputs", "outputs") for tensor in context.metadata[side]):
        return
    whole = answers(context, context.infer(tensors(context, data, True)))
    single = [answers(context, context.infer(tensors(context, {name: array[row : row + 1] for name, array in data.items()}, row % 2 == 0))) for row in range(ROWS)]
    same(whole, {name: np.concatenate([outputs[name] for outputs in single]) for name in whole}, exactly=False)


def test_many_at_once(context):
    data = arrays(context)
    expected = answers(context, context.infer(tensors(context, data, True)))
    pending = [context.client.async_infer(context.model, tensors(context, data, index % 2 == 0), headers=context.headers) for index in range(16)]
    for request in pending:
        same(expected, answers(context, request.get_result()))


def test_packed(context):
    data = arrays(context, 64)
    expected = answers(context, context.infer(tensors(context, data, True)))
    for coding in ("gzip", "deflate"):
        for binary in (True, False):
            result = context.infer(tensors(context, data, binary), request_compression_algorithm=coding, response_compression_algorithm=coding)
            same(expected, answers(context, result), exactly=False)


def test_echoes_and_versions(context):
    data = arrays(context)
    result = context.infer(tensors(context, data, True), request_id="mine-42").get_response()
    assert result["id"] == "mine-42" and result["model_name"] == context.model, result
    version = result["model_version"]
    assert context.infer(tensors(context, data, True), model_version=version).get_response()["model_version"] == version
    only = context.metadata["outputs"][0]["name"]
    outputs = context.infer(tensors(context, data, True), outputs=[triton.InferRequestedOutput(only)]).get_response()["outputs"]
    assert [output["name"] for output in outputs] == [only]
    assert context.infer(tensors(context, data, True), timeout=20_000_000, priority=1).get_response()["outputs"]


def test_refusals(context):
    def status_of(action) -> str:
        try:
            action()
        except InferenceServerException as error:
            return str(error.status())
        raise AssertionError("was accepted")

    data = arrays(context)
    name = next(iter(data))
    unknown = triton.InferInput("there-is-no-such-input", [1, 1], "FP32")
    unknown.set_data_from_numpy(np.zeros((1, 1), np.float32))
    assert "400" in status_of(lambda: context.infer([unknown]))
    wrong = triton.InferInput(name, [1] * 7, "FP32")
    wrong.set_data_from_numpy(np.zeros([1] * 7, np.float32))
    assert "400" in status_of(lambda: context.infer([wrong]))
    assert "400" in status_of(lambda: context.infer(tensors(context, data, True), sequence_id=3, sequence_start=True))
    assert "404" in status_of(lambda: context.infer(tensors(context, data, True), model_version="99999"))
    assert "404" in status_of(lambda: context.client.infer("there-is-no-such-model", [unknown], headers=context.headers))
    assert "404" in status_of(lambda: context.client.get_model_metadata("there-is-no-such-model", headers=context.headers))


def test_statistics(context):
    context.infer(tensors(context, arrays(context), True))
    version = context.metadata["versions"][0]

    def counted() -> int:
        stats = context.client.get_inference_statistics(context.model, version, headers=context.headers)["model_stats"][0]
        assert stats["name"] == context.model and stats["version"] == version
        return stats["inference_stats"]["success"]["count"]

    # Where several pods answer, each counts its own.
    assert max(counted() for _ in range(20)) > 0


def test_repository(context):
    index = context.client.get_model_repository_index(headers=context.headers)
    assert any(entry["name"] == context.model and entry["state"] == "READY" for entry in index), index
    context.client.load_model(context.model, headers=context.headers)
    try:
        context.client.unload_model(context.model, headers=context.headers)
    except InferenceServerException as error:
        assert "501" in str(error.status()), error
    else:
        raise AssertionError("unload was accepted")
    assert context.client.is_model_ready(context.model, headers=context.headers)


def test_kserve_second_protocol(context):
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    data = arrays(context)
    expected = answers(context, context.infer(tensors(context, data, True)))

    async def ask(binary: bool):
        client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
        assert await client.is_server_live(context.base_url, headers=context.headers)
        assert await client.is_server_ready(context.base_url, headers=context.headers)
        assert await client.is_model_ready(context.base_url, context.model, headers=context.headers)
        inputs = []
        for name, array in data.items():
            tensor = InferInput(name, list(array.shape), datatype_of(context, name))
            tensor.set_data_from_numpy(array, binary_data=binary)
            inputs.append(tensor)
        request = InferRequest(model_name=context.model, infer_inputs=inputs)
        response = await client.infer(context.base_url, request, model_name=context.model, headers=context.headers)
        return {output.name: output.as_numpy() for output in response.outputs}

    has_half = any(array.dtype == np.float16 for array in data.values())
    for binary in (True,) if has_half else (True, False):
        same(expected, asyncio.run(ask(binary)), exactly=False)


def test_kserve_first_protocol(context):
    from kserve import InferenceRESTClient, RESTConfig

    data = arrays(context)
    if any(array.dtype == object for array in data.values()):
        return
    expected = answers(context, context.infer(tensors(context, data, True)))
    rows = [{name: array[row].tolist() for name, array in data.items()} for row in range(ROWS)]

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
        return await client.infer(context.base_url, {"instances": rows}, model_name=context.model, headers=context.headers)

    predictions = asyncio.run(ask())["predictions"]
    assert len(predictions) == ROWS
    [(name, first), *others] = expected.items()
    if not others and first.dtype.kind == "f":
        assert np.allclose(np.array(predictions), first, rtol=1e-4, atol=1e-5), name


def has_kserve() -> bool:
    try:
        import kserve  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_url")
    parser.add_argument("model")
    parser.add_argument("--api-key")
    options = parser.parse_args()
    context = Context(options.base_url, options.model, options.api_key)
    tests = [action for name, action in globals().items() if name.startswith("test_") and (has_kserve() or "kserve" not in name)]
    if not has_kserve():
        print("kserve is not installed: its tests are left out")
    failed = 0
    for action in tests:
        try:
            action(context)
            print(f"passed {action.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED {action.__name__}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
