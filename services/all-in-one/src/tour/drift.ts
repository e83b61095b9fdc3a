import { type DriftPolicy, type DriftStatus, driftPolicyResponse, driftStatus } from '@millrace/contracts/http/drift.ts'
import type { Stage } from './stage.ts'
import { drawTraffic, type Picture, sendUntil } from './traffic.ts'

/** Only the periods shrink for the tour; every threshold is the shipped one. */
const TOUR_WINDOW_MS = 2000
const TOUR_LATENESS_MS = 500
const PICTURES = 450
const MOST_ROWS = 12_000

const policyPath = (model: string): string => `/api/v1/drift/policies/${encodeURIComponent(model)}`

export const readDrift = ({ client, model }: Pick<Stage, 'client' | 'model'>): Promise<DriftStatus> =>
  client.get(`/api/v1/drift/models/${encodeURIComponent(model)}`, driftStatus)

/** Shortens the windows and gives the policy that was there, for `restoreDriftPolicy`. */
export async function shortenWindows({ client, model }: Stage): Promise<DriftPolicy> {
  const { policy } = await client.get(policyPath(model), driftPolicyResponse)
  await client.send('PUT', policyPath(model), { ...policy, windowMs: TOUR_WINDOW_MS, latenessMs: TOUR_LATENESS_MS }, driftPolicyResponse)
  return policy
}

export async function restoreDriftPolicy({ client, model }: Stage, policy: DriftPolicy): Promise<void> {
  await client.send('PUT', policyPath(model), policy, driftPolicyResponse)
}

const verdicts = (status: DriftStatus, version: string, verdict: string): number =>
  status.windows.filter((window) => window.version === version && window.verdict === verdict).length

/** Sends traffic until `count` windows of the version are good; one bad alert on the way fails the tour. */
export async function expectQuiet(stage: Stage, version: string, pictures: readonly Picture[], count: number): Promise<void> {
  const sent = await sendUntil(stage.client, stage.model, pictures, async (soFar) => {
    const status = await readDrift(stage)
    if (status.state === 'drifting') throw new Error('drift was reported on traffic like the training data')
    if (soFar > MOST_ROWS) throw new Error(`no ${count} good windows in ${soFar} predictions`)
    return verdicts(status, version, 'ok') >= count
  })
  stage.story.step(`${sent} predictions on traffic like the data set: ${count} windows without drift`)
}

/** Shifts the traffic under water until DriftDetected; gives the alert's id. */
export async function shiftTraffic(stage: Stage, version: string): Promise<string> {
  const { story } = stage
  story.chapter('3. The traffic changes: underwater light, another camera')
  const daylight = await drawTraffic('daylight', stage.seed + 1, PICTURES)
  const underwater = await drawTraffic('underwater', stage.seed + 2, PICTURES)
  story.step(`drew ${2 * PICTURES} pictures to send`)
  await expectQuiet(stage, version, daylight, 2)
  const sent = await sendUntil(stage.client, stage.model, underwater, async (soFar) => {
    if (soFar > MOST_ROWS) throw new Error(`no drift detected in ${soFar} shifted predictions`)
    return (await readDrift(stage)).alertId !== null
  })
  const status = await readDrift(stage)
  if (!status.alertId) throw new Error('the alert was gone before it could be read')
  story.step(`DriftDetected after ${sent} shifted predictions`)
  for (const line of describeDrift(status, version)) story.note(line)
  return status.alertId
}

function describeDrift(status: DriftStatus, version: string): string[] {
  const bad = status.windows.find((window) => window.version === version && window.verdict === 'drift')
  const drifted = (bad?.features ?? []).filter((feature) => feature.drifted).sort((a, b) => b.psi - a.psi)
  return drifted
    .slice(0, 4)
    .map(({ feature, psi, adjustedPValue, severity }) => `${feature}: PSI ${psi.toFixed(2)}, p ${adjustedPValue.toExponential(1)} (${severity})`)
}
