import { type ServingActivated, servingActivated } from '@millrace/contracts/events/serving-events.ts'
import { decodeRecord } from '@millrace/platform/events/cloudevents.ts'
import { createKafkaLog } from '@millrace/platform/events/kafka/kafka-log.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { connectionOf } from './event-adapters.ts'

/** What pods have said about the versions that they began to answer with, in order per pod. */
export async function readActivations(env: NodeJS.ProcessEnv, model: string): Promise<ServingActivated[]> {
  const { value, stop } = createKafkaLog({ connection: connectionOf(env), log: silentLog, onFatal: () => undefined })
  const records = await value.readToEnd(servingActivated.topic).finally(stop)
  return records.flatMap((record) => {
    const decoded = decodeRecord(record)
    if (decoded.kind !== 'event' || decoded.event.type !== servingActivated.type) return []
    const activated = servingActivated.data.parse(decoded.event.data)
    return activated.model === model && activated.arm === 'production' ? [activated] : []
  })
}
