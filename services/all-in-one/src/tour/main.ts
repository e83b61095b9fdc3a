import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readConfig } from '@millrace/platform/config.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { requireRunning } from '../commands/urls.ts'
import { hostConfig } from '../config.ts'
import { SAMPLE_MODEL } from '../sample/policies.ts'
import { productionOf } from '../user/model-life.ts'
import { createStory, formatDuration } from '../user/story.ts'
import { createUserClient } from '../user/user-client.ts'
import { restoreDriftPolicy, shiftTraffic, shortenWindows } from './drift.ts'
import { startProber } from './prober.ts'
import { expectResolved, pointRetrainingAt, retrainOnNewData } from './retrain.ts'
import type { Stage } from './stage.ts'
import { rollBackAndForward, trainAnother } from './swap.ts'
import { drawTraffic } from './traffic.ts'

/** Seeds of pictures: fixed, so that the same tour tells the same story; each further tour draws pictures of its own. */
const FIRST_SEED = 1000
const SEEDS_PER_TOUR = 10

/** Sets the stage on the running Millrace. */
async function openStage(dataRoot: string, apiKey: string | undefined): Promise<Stage> {
  const { url } = await requireRunning(dataRoot)
  const client = createUserClient(url, apiKey)
  const story = createStory((line) => process.stdout.write(`${line}\n`))
  if ((await productionOf(client, SAMPLE_MODEL).catch(() => null)) === null)
    throw new Error(`${SAMPLE_MODEL} serves nothing yet: wait until 'npm start' has answered its first prediction`)
  const datasets = join(dataRoot, 'datasets')
  const tours = (await readdir(datasets)).filter((name) => name.startsWith('fish-tour-')).length
  const seed = FIRST_SEED + tours * SEEDS_PER_TOUR
  const prober = startProber(client, SAMPLE_MODEL, await drawTraffic('daylight', seed + 9, 30))
  return { client, story, prober, model: SAMPLE_MODEL, dataset: join(datasets, `fish-tour-${tours + 1}`), seed }
}

async function tour(stage: Stage): Promise<void> {
  const version = await trainAnother(stage)
  await rollBackAndForward(stage, version)
  await stage.prober.stop()
  await pointRetrainingAt(stage)
  const policy = await shortenWindows(stage)
  try {
    const alertId = await shiftTraffic(stage, version)
    const retrained = await retrainOnNewData(stage, alertId)
    await expectResolved(stage, retrained)
  } finally {
    await restoreDriftPolicy(stage, policy)
  }
}

const started = performance.now()
try {
  const { MILLRACE_DATA, MILLRACE_ADMIN_KEY } = readConfig(hostConfig, process.env)
  const stage = await openStage(MILLRACE_DATA, MILLRACE_ADMIN_KEY)
  await tour(stage).finally(() => stage.prober.stop())
  const { answers, failures } = stage.prober
  process.stdout.write(
    `\nTour complete in ${formatDuration(performance.now() - started)}. Predictions during the swaps: ${answers}, failed: ${failures.length}.\n`,
  )
} catch (error) {
  process.stderr.write(`\nTour failed: ${messageOf(error)}\n`)
  process.exitCode = 1
}
