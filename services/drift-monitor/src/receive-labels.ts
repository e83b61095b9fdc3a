import { labelReceived } from '@millrace/contracts/events/drift-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { type StoredLabel, saveLabels } from './store/labels.ts'

/** Labels of one transaction: with the embedded database everybody waits for it. */
const CHUNK = 100

export interface IncomingLabel {
  readonly predictionId: string
  readonly model: string
  readonly label: string
  readonly labelledAt?: string | undefined
}

/** Takes labels in, once each: what is sent again changes nothing, and another label for the same prediction replaces the first. A label may come before its prediction. */
export const createReceiveLabels = (deps: Pick<DriftMonitorDeps, 'database' | 'clock' | 'publish'>) =>
  async function receiveLabels(incoming: readonly IncomingLabel[], receivedFrom: string): Promise<{ accepted: number; duplicates: number }> {
    const now = deps.clock()
    const stored = incoming.map((label): StoredLabel => ({ ...label, labelledAt: label.labelledAt === undefined ? now : new Date(label.labelledAt) }))
    const distinct = [...new Map(stored.map((label) => [keyOf(label), label])).values()]
    let accepted = 0
    for (let start = 0; start < distinct.length; start += CHUNK) {
      const chunk = distinct.slice(start, start + CHUNK)
      accepted += await deps.database.transaction((tx) => saveChunk(deps, tx, chunk, receivedFrom, now))
    }
    return { accepted, duplicates: incoming.length - accepted }
  }

const keyOf = ({ model, predictionId }: { model: string; predictionId: string }): string => `${model}/${predictionId}`

async function saveChunk(
  { publish }: Pick<DriftMonitorDeps, 'publish'>,
  tx: Sql,
  chunk: readonly StoredLabel[],
  receivedFrom: string,
  now: Date,
): Promise<number> {
  const saved = new Set((await saveLabels(tx, chunk, receivedFrom, now)).map(keyOf))
  for (const label of chunk) {
    if (!saved.has(keyOf(label))) continue
    const data = { ...label, labelledAt: label.labelledAt.toISOString(), receivedFrom }
    await publish(tx, { definition: labelReceived, subject: keyOf(label), data })
  }
  return saved.size
}
