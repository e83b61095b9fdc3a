import { stat } from 'node:fs/promises'
import type { Tensor } from '../domain/tensor.ts'
import { answerCall } from './answer-calls.ts'
import type { CallMessage, Probed } from './calls.ts'
import { type ModelFile, openFiles } from './model-file.ts'

/** Entry of the child process that tries an artifact first: what crashes, loops or eats memory here takes no pod down. */
async function run({ files, example }: { files: readonly ModelFile[]; example: readonly Tensor[] }): Promise<{ result: Probed }> {
  const before = process.memoryUsage.rss()
  const chain = await openFiles(files)
  await chain.run(example)
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - before)
  await chain.release()
  // What the runtime took for another model before may be taken again without asking for more.
  const fileBytes = (await Promise.all(files.map(({ path }) => stat(path)))).reduce((sum, { size }) => sum + size, 0)
  return { result: { memoryBytes: Math.max(memoryBytes, fileBytes) } }
}

process.on('message', (call: CallMessage) => {
  void answerCall({ run }, call).then(({ answer }) => process.send?.(answer))
})
process.once('disconnect', () => process.exit(0))
process.send?.('ready')
