import { stat } from 'node:fs/promises'
import { answerCall } from './answer-calls.ts'
import type { CallMessage, Probed, Trial } from './calls.ts'
import { type ModelFile, openFiles } from './model-file.ts'
import { warmRuntime } from './warm-runtime.ts'

/** Entry of the child process that tries an artifact first: what crashes, loops or eats memory here takes no pod down. */
async function run({ files, trial }: { files: readonly ModelFile[]; trial: Trial }): Promise<{ result: Probed }> {
  const before = process.memoryUsage.rss()
  const chain = await openFiles(files)
  // Rows of zeros that stand in for an example may be nothing that the model takes.
  await chain.run(trial.example).catch((error: unknown) => {
    if (trial.logged) throw error
  })
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - before)
  await chain.release()
  // What the runtime took for another model before may be taken again without asking for more.
  const fileBytes = (await Promise.all(files.flatMap((file) => [file, ...file.sideFiles]).map(({ path }) => stat(path)))).reduce(
    (sum, { size }) => sum + size,
    0,
  )
  return { result: { memoryBytes: Math.max(memoryBytes, fileBytes) } }
}

process.on('message', (call: CallMessage) => {
  void answerCall({ run }, call).then(({ answer }) => process.send?.(answer))
})
process.once('disconnect', () => process.exit(0))
await warmRuntime()
process.send?.('ready')
