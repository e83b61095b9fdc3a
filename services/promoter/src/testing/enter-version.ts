import { modelVersionRegistered } from '@millrace/contracts/events/model-events.ts'
import type { runningPromoter } from './running-promoter.ts'
import type { StoredModel } from './stored-model.ts'

export type Promoter = Awaited<ReturnType<typeof runningPromoter>>

const registered = (version: string, { artifact }: StoredModel, servable = true) => ({
  ...{ model: 'fish', version, runId: `run-${version}`, source: 's', artifact, servable, registeredBy: 'ana', automatic: true },
  unservableReason: servable ? null : 'no millrace-model.json',
})
const served = (version: string, generation: number) => ({
  ...{ pod: 'p', incarnation: 'i', model: 'fish', version, generation, digest: 'a'.repeat(64), arm: 'production' },
})
export const activated = (version: string, generation: number) => ({ ...served(version, generation), loadMs: 1, warmUpMs: 1, sinceChangedMs: 1 })
export const loadFailed = (version: string, generation: number, kind = 'deterministic') => ({
  ...served(version, generation),
  kind,
  stage: 'open',
  message: 'bad graph',
})

/** A version is registered and says so. */
export async function enter(promoter: Promoter, version: string, options: Parameters<Promoter['register']>[1] = {}): Promise<void> {
  const stored = await promoter.register(version, options)
  await promoter.emit(modelVersionRegistered, registered(version, stored, options.servable ?? true))
}

/** Changes parts of the model's policy. */
export async function setPolicy(promoter: Promoter, policy: Record<string, unknown>): Promise<void> {
  const current = await promoter.policy()
  const answer = await promoter.call('/api/v1/promotions/policies/fish', { method: 'PUT', body: { ...current.policy, ...policy } })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
}
