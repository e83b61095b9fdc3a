import { cp } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { auditTrail, modelOverview, rollbackResponse } from '@millrace/contracts/http/registry.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { productionOf, trainAndServe } from '../user/model-life.ts'
import { formatDuration } from '../user/story.ts'
import type { Stage } from './stage.ts'

const ANSWER_MS = 15_000
const FRESH_PER_CLASS = 60

/** A second training, on the sample's pictures and fresh ones: through the gates, promoted, and swapped in while predictions go on. Gives the new version. */
export async function trainAnother({ client, story, model, dataset, seed, prober }: Stage): Promise<string> {
  story.chapter('1. A second training, promoted into live traffic')
  await cp(join(dirname(dataset), 'fish'), dataset, { recursive: true })
  await drawDataset({ root: dataset, seed, light: 'daylight', imagesPerClass: FRESH_PER_CLASS })
  story.step(`drew ${15 * FRESH_PER_CLASS} fresh pictures of the same fifteen species, beside those of the sample`)
  const parameters = { seed: 2 }
  const { version } = await trainAndServe(client, story, { model, dataset, register: true, parameters, cause: 'tour' })
  await tellSwap({ client, story, model, prober }, version)
  return version
}

/** Back to the version before, and forward again: each a new generation, none a restart. */
export async function rollBackAndForward(stage: Stage, version: string): Promise<void> {
  const { client, story, model } = stage
  story.chapter('2. A rollback, and forward again')
  const path = `/api/v1/models/${encodeURIComponent(model)}/rollback`
  const back = await client.send('POST', path, { reason: 'tour: show a rollback' }, rollbackResponse, `back-${basename(stage.dataset)}`)
  story.step(`rolled back from v${version} to v${back.version}, generation ${back.generation}`)
  await tellSwap(stage, back.version)
  const forward = await client.send('POST', path, { version, reason: 'tour: forward again' }, rollbackResponse, `forward-${basename(stage.dataset)}`)
  story.step(`forward to v${forward.version}, generation ${forward.generation}`)
  await tellSwap(stage, version)
  if ((await productionOf(client, model)) !== version) throw new Error(`v${version} should be in Production`)
}

/** From the registry's commit to the first answer by the new version, and what failed meanwhile. */
async function tellSwap({ client, story, model, prober }: Pick<Stage, 'client' | 'story' | 'model' | 'prober'>, version: string): Promise<void> {
  const committed = await promotedAt({ client, model }, version)
  const answered = await client.waitFor(`an answer by v${version}`, async () => prober.firstAnswer(version, committed), ANSWER_MS)
  story.note(
    `commit to first answer by v${version}: ${formatDuration(answered.getTime() - committed.getTime())}; failed predictions so far: ${prober.failures.length} of ${prober.answers}`,
  )
  if (prober.failures.length > 0) throw new Error(`${prober.failures.length} predictions failed, the first with: ${prober.failures[0]}`)
}

async function promotedAt({ client, model }: Pick<Stage, 'client' | 'model'>, version: string): Promise<Date> {
  const path = `/api/v1/models/${encodeURIComponent(model)}`
  const { production } = await client.get(path, modelOverview)
  if (production?.version === version) return new Date(production.since)
  const { entries } = await client.get(`${path}/audit`, auditTrail)
  const entry = entries.find((candidate) => candidate.version === version && candidate.to === 'Production')
  if (!entry) throw new Error(`the audit trail does not say when v${version} was promoted`)
  return new Date(entry.at)
}
