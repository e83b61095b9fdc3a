import { topics as topicSettings } from '@millrace/contracts/events/topics.ts'
import type { Activation, Evidence, TopicRecord, Violation } from './evidence.ts'
import { violation } from './evidence.ts'

/** Pods have no database, and so no outbox. */
const withoutOutbox = new Set(Object.entries(topicSettings).flatMap(([name, { writer }]) => (writer === 'inference' ? [name] : [])))

/** I4: the log holds every event that was committed and, of the writers with an outbox, no other; what a test put there itself apart. */
export function checkDelivery({ outbox, topics, poison }: Evidence): Violation[] {
  const known = new Set([...outbox.map(({ id }) => id), ...poison])
  const onLog = new Set(topics.map(({ id }) => id))
  const lost = outbox.filter(({ id }) => !onLog.has(id))
  const phantoms = topics.filter(({ topic, id }) => id !== null && !withoutOutbox.has(topic) && !known.has(id))
  return [
    ...lost.map(({ service, type, key, id }) => violation('I4', `${service} committed ${type} of ${key} (${id}), the log never got it`)),
    ...phantoms.map(({ topic, partition, offset, id }) => violation('I4', `${topic}/${partition} offset ${offset}: nobody committed event ${id}`)),
  ]
}

/** I5: once repeats are left out, the events of a key stand on the log in the order of their commits, and no pod goes back to an older generation. */
export const checkOrder = ({ topics, activations }: Evidence): Violation[] => [...checkLogOrder(topics), ...checkPodOrder(activations)]

function checkLogOrder(topics: readonly TopicRecord[]): Violation[] {
  const events = topics.filter(({ id, sequence }) => id !== null && sequence !== null)
  return [...Map.groupBy(events, ({ topic, source, key }) => `${topic} ${source} ${key}`)].flatMap(([name, records]) => {
    const sequences = [...new Set(records.map(({ sequence }) => sequence ?? 0))]
    const wrong = sequences.findIndex((sequence, index) => sequence < (sequences[index - 1] ?? 0))
    return wrong < 0 ? [] : [violation('I5', `${name}: commit ${sequences[wrong]} stands behind commit ${sequences[wrong - 1]}`)]
  })
}

function checkPodOrder(activations: readonly Activation[]): Violation[] {
  return [...Map.groupBy(activations, ({ incarnation, model }) => `${incarnation} ${model}`)].flatMap(([, history]) =>
    history.flatMap(({ pod, model, generation }, index) => {
      const before = history[index - 1]?.generation ?? 0
      return generation < before ? [violation('I5', `${pod} went back from generation ${before} of ${model} to ${generation}`)] : []
    }),
  )
}
