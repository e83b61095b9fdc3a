import { openChain } from '@millrace/platform/model/onnx-chain.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

/** Opens and runs the smallest of models, so that the first real one neither waits for the runtime to start nor is taken to need its memory. */
export async function warmRuntime(): Promise<void> {
  const value = (name: string) => [{ name, shape: [1] }]
  const bytes = writeOnnx({
    name: 'warm',
    inputs: value('x'),
    outputs: value('y'),
    initializers: [],
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
  })
  const chain = await openChain([{ name: 'warm', bytes }])
  await chain.run([{ name: 'x', datatype: 'FP32', shape: [1], data: new Float32Array(1) }])
  await chain.release()
}
