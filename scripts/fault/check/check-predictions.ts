import { servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { type Activation, type Evidence, type PredictionRecord, type Violation, violation } from './evidence.ts'

const TOLERANCE = 1e-4
/** Pods tell the time of a swap in whole milliseconds, and a moment after it. */
const SLACK_MS = 5
/** What a pod may have grown by once the models that it swapped out are freed. */
const GROWTH = 1.1

const isClose = (answer: readonly number[], expected: readonly number[]): boolean =>
  answer.length === expected.length && answer.every((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)) <= TOLERANCE)

const predictionsIn = ({ client }: Evidence): PredictionRecord[] => client.filter((record) => record.kind === 'prediction')

/** I7: no prediction fails, and each comes whole from the version and the generation that it names. */
export function checkAnswers(evidence: Evidence): Violation[] {
  const known = new Map(evidence.versions.map((entry) => [`${entry.model} ${entry.version}`, entry]))
  const states = evidence.outbox.filter(({ type }) => type === servingStateChanged.type)
  const productionOf = new Map(states.map(({ key, payload }) => [`${key} ${String(payload['generation'])}`, productionVersion(payload)]))
  return predictionsIn(evidence).flatMap((prediction) => {
    const { model, version, generation, status, input, output } = prediction
    if (status !== 200) return [violation('I7', `a prediction of ${model} ended with ${status === 0 ? 'no answer' : `status ${status}`}`)]
    const expected = productionOf.get(`${model} ${generation}`)
    if (expected !== undefined && expected !== version) {
      return [violation('I7', `version ${version} of ${model} answered under generation ${generation}, in which version ${expected} was in Production`)]
    }
    const answer = known.get(`${model} ${version}`)?.answer(input)
    if (answer === undefined || isClose(output, answer)) return []
    return [violation('I7', `version ${version} of ${model} answered ${output.join(', ')} to ${input.join(', ')}, expected ${answer.join(', ')}`)]
  })
}

function productionVersion(payload: Readonly<Record<string, unknown>>): string | null {
  const production = payload['production']
  return typeof production === 'object' && production !== null && 'version' in production ? String(production.version) : null
}

/** I8: a prediction is answered by a generation that its pod served while it was in progress; what was swapped out is freed. */
export function checkSwaps(evidence: Evidence): Violation[] {
  const histories = Map.groupBy(evidence.activations, ({ pod, model }) => `${pod} ${model}`)
  const strange = predictionsIn(evidence).flatMap((prediction) => {
    const { pod, model, status, generation, beganMs, endedMs } = prediction
    const history = histories.get(`${pod} ${model}`)
    if (pod === null || status !== 200 || !history) return []
    const least = generationAt(history, beganMs - SLACK_MS)
    const most = generationAt(history, endedMs + SLACK_MS)
    if (generation >= least && generation <= most) return []
    return [violation('I8', `${pod} answered by generation ${generation} of ${model}; while it was asked it served ${least} to ${most}`)]
  })
  const grown = evidence.memory.filter(({ beforeBytes, afterBytes }) => afterBytes > beforeBytes * GROWTH)
  return [
    ...strange,
    ...grown.map(({ pod, beforeBytes, afterBytes }) => violation('I8', `${pod} grew from ${beforeBytes} to ${afterBytes} bytes over its swaps`)),
  ]
}

const generationAt = (history: readonly Activation[], atMs: number): number =>
  history.reduce((newest, { generation, atMs: since }) => (since <= atMs ? Math.max(newest, generation) : newest), 0)
