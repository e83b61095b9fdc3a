import kafkajs, { type Kafka, type KafkaJSProtocolError } from 'kafkajs'
import type { Started } from '../../component.ts'
import { AppError, messageOf, TransientError } from '../../errors.ts'
import type { LogRecord } from '../event-log.ts'
import { fullJitterMs, pauseFor } from '../signal.ts'
import { batchesOf, toMessage } from './record.ts'
import type { KafkaTiming } from './timing.ts'

type Publish = (topic: string, records: readonly LogRecord[]) => Promise<void>

/** Refusals of the record itself: sending it again cannot help. Everything else may pass. */
const REFUSED_RECORD: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
/** "This record has failed the validation on broker"; the client knows no name for it. */
const INVALID_RECORD_CODE = 87

/** The broker's own answer at the bottom of what the client made of it. */
function protocolErrorIn(error: unknown): KafkaJSProtocolError | null {
  if (error instanceof kafkajs.KafkaJSProtocolError) return error
  return error instanceof kafkajs.KafkaJSError && error.cause ? protocolErrorIn(error.cause) : null
}

function refusalOf(topic: string, error: unknown): AppError | null {
  const answer = protocolErrorIn(error)
  if (!answer) return null
  if (REFUSED_RECORD.has(answer.type)) return new AppError('PAYLOAD_TOO_LARGE', `${topic} takes no record of this size: ${answer.message}`, { cause: error })
  if (answer.code !== INVALID_RECORD_CODE) return null
  return new AppError('INVALID_PARAMETER_VALUE', `${topic} takes no such record; a compacted topic wants a key: ${answer.message}`, { cause: error })
}

/**
 * Sends with acks from all in-sync replicas, without the client's idempotence: its sequence numbers can be reused after an error, and then an
 * acknowledged record is lost. One send per topic is in flight, so that a repeated one cannot overtake; what is sent twice has the same event id.
 */
export function createPublisher(client: Kafka, timing: KafkaTiming): Started<Publish> {
  const producer = client.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    idempotent: false,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1000 },
  })
  const open = new Set<AbortController>()
  const turns = new Map<string, Promise<void>>()
  let connected: Promise<void> | null = null

  function connect(): Promise<void> {
    connected ??= producer.connect().catch((error: unknown) => {
      connected = null
      throw error
    })
    return connected
  }

  async function sendBatch(topic: string, batch: readonly LogRecord[], giveUp: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      if (giveUp.aborted) throw new TransientError(`${topic}: the broker has not confirmed the records in time`)
      try {
        await connect()
        await producer.send({ topic, acks: -1, messages: batch.map(toMessage) })
        return
      } catch (error) {
        const refusal = refusalOf(topic, error)
        if (refusal) throw refusal
        if (giveUp.aborted) throw new TransientError(`${topic}: the broker has not confirmed the records: ${messageOf(error)}`, { cause: error })
        await pauseFor(100 + fullJitterMs(failures, 100, 1000), giveUp)
      }
    }
  }

  return {
    async value(topic, records) {
      const batches = batchesOf(topic, records)
      const giveUp = new AbortController()
      const timer = setTimeout(() => giveUp.abort(), timing.publishTimeoutMs)
      open.add(giveUp)
      const sending = (turns.get(topic) ?? Promise.resolve()).then(async () => {
        for (const batch of batches) await sendBatch(topic, batch, giveUp.signal)
      })
      turns.set(
        topic,
        sending.catch(() => undefined),
      )
      try {
        await Promise.race([sending, rejectWhen(giveUp.signal, topic)])
      } finally {
        clearTimeout(timer)
        open.delete(giveUp)
      }
    },
    async stop() {
      for (const giveUp of open) giveUp.abort()
      await producer.disconnect()
    },
  }
}

/** An unanswered request cannot be called back; its caller need not wait for it. */
function rejectWhen(giveUp: AbortSignal, topic: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    giveUp.addEventListener('abort', () => reject(new TransientError(`${topic}: the broker has not confirmed the records in time`)), { once: true })
  })
}
