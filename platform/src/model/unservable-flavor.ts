import { MODEL_SPEC_FILE } from '@millrace/contracts/model/model-spec.ts'

const skl =
  "mlflow.onnx.log_model(skl2onnx.to_onnx(model, np.asarray(X[:1], dtype=np.float32), options={'zipmap': False}), name='model') (without the options where it is no classifier)"
const booster = (convert: string): string =>
  `mlflow.onnx.log_model(onnxmltools.${convert}(model, initial_types=[('x', FloatTensorType([None, X.shape[1]]))]), name='model')`
const torch =
  "torch.onnx.export(model, (x,), 'model.onnx', input_names=['x'], dynamic_axes={'x': {0: 'n'}}); mlflow.onnx.log_model(onnx.load('model.onnx'), name='model')"
const keras = "mlflow.onnx.log_model(tf2onnx.convert.from_keras(model)[0], name='model')"

/** The line that logs a model of each flavor as ONNX. */
const lines: Readonly<Record<string, string>> = {
  sklearn: skl,
  xgboost: booster('convert_xgboost'),
  lightgbm: booster('convert_lightgbm'),
  catboost: "model.save_model('model.onnx', format='onnx'); mlflow.onnx.log_model(onnx.load('model.onnx'), name='model')",
  pytorch: torch,
  tensorflow: keras,
  keras,
}

/** What to do with a model that cannot be served as it is. */
export const CURE = `Export the model as ONNX and log it with mlflow.onnx.log_model (or with a ${MODEL_SPEC_FILE} beside the .onnx file), then register that.`

/** Why a model of these MLflow flavors cannot be served, with the line that logs it so that it can. */
export function refuseFlavors(flavors: readonly string[]): { format: string; reason: string } {
  const own = flavors.filter((flavor) => flavor !== 'python_function')
  const flavor = own.find((name) => name in lines) ?? own[0] ?? flavors[0]
  const line = flavor === undefined ? undefined : lines[flavor]
  const name = own.length > 0 ? `the MLflow flavor '${own.join("', '")}'` : 'no MLflow flavor that is known'
  const how = line ? `${CURE} For this flavor: ${line}` : CURE
  return { format: `mlflow:${flavor ?? 'unknown'}`, reason: `it has ${name}, which needs Python to run and may execute code when it is loaded. ${how}` }
}
