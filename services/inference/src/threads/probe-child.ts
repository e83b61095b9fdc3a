import { readFile } from 'node:fs/promises'
import { inspectOnnx } from '@millrace/platform/model/onnx-file.ts'
import type { Tensor } from '../domain/tensor.ts'
import { answerCall } from './answer-calls.ts'
import type { CallMessage } from './calls.ts'
import { type ModelFile, openFiles } from './model-file.ts'

/** Entry of the child process that tries an artifact first: what crashes, loops or eats memory here takes no pod down. */
async function inspect(files: readonly ModelFile[]): Promise<{ result: null }> {
  for (const { path } of files) inspectOnnx(await readFile(path))
  return { result: null }
}

async function run({ files, example }: { files: readonly ModelFile[]; example: readonly Tensor[] }): Promise<{ result: null }> {
  const chain = await openFiles(files)
  await chain.run(example)
  await chain.release()
  return { result: null }
}

process.on('message', (call: CallMessage) => {
  void answerCall({ inspect, run }, call).then(({ answer }) => process.send?.(answer))
})
process.once('disconnect', () => process.exit(0))
process.send?.('ready')
