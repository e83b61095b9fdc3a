import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { deadLetterTopicOf, topicNames } from '@millrace/contracts/events/topics.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { redriveOf } from '@millrace/platform/events/dead-letter.ts'
import type { DeliveredRecord, EventLog } from '@millrace/platform/events/event-log.ts'
import { createClient } from '@millrace/platform/events/kafka/connection.ts'
import { createKafkaLog } from '@millrace/platform/events/kafka/kafka-log.ts'
import { withAdmin } from '@millrace/platform/events/kafka/offsets.ts'
import { connectionFrom, kafkaSettings } from '@millrace/platform/events/kafka/settings.ts'
import { defaultKafkaTiming } from '@millrace/platform/events/kafka/timing.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { z } from 'zod'

const USAGE = `npm run redrive -- [--dry-run] [topic]...

Sends dead letters back to the topics that they came from, each once, under the same event id: consumers that have handled an event already leave it alone. One
that cannot be handled still comes back as a new dead letter, with the number of times in the header dlq-redrive-count. Without topics: those of every topic.
--dry-run only tells what would be sent. Settings: KAFKA_BROKERS and the other KAFKA_… of the services; else the local servers of scripts/infra.
`
type Admin = Parameters<Parameters<typeof withAdmin>[1]>[0]

/** Remembers how far each dead-letter topic was sent back. */
const GROUP = 'millrace-redrive'

const root = join(import.meta.dirname, '..')

function environment(): Readonly<Record<string, string | undefined>> {
  const local = join(process.env['MILLRACE_INFRA_DIR'] || join(root, '.millrace/infra'), 'env')
  return process.env['KAFKA_BROKERS'] || !existsSync(local) ? process.env : { ...parseEnv(readFileSync(local, 'utf8')), ...process.env }
}

/** Names with or without `.dlq`. @throws Error for one that is no topic of Millrace */
function chosen(names: readonly string[]): string[] {
  const wanted = names.map((name) => name.replace(/\.dlq$/, ''))
  const unknown = wanted.find((name) => !topicNames.some((topic) => topic === name))
  if (unknown) throw new Error(`there is no topic ${unknown}: expected ${topicNames.join(', ')}`)
  return (wanted.length > 0 ? wanted : [...topicNames]).map(deadLetterTopicOf)
}

async function nextOffset(admin: Admin, topic: string): Promise<number> {
  const [answer] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] })
  return Math.max(0, Number(answer?.partitions[0]?.offset ?? 0))
}

function describe({ offset, key, headers }: DeliveredRecord): string {
  const { ce_id: id = 'without an id', 'dlq-error-class': kind = 'unknown', 'dlq-error-message': message = '' } = headers
  return `offset ${offset}, key ${key ?? 'none'}, event ${id}: ${kind}, ${message.replaceAll(/\s+/g, ' ')}`
}

interface Redrive {
  readonly eventLog: EventLog
  readonly admin: Admin
  readonly dryRun: boolean
  readonly say: (line: string) => void
}

/** What was there at the start, in its order. How far that went is remembered once, since it takes seconds: who is stopped before sends some again, under the same ids. */
async function redriveTopic({ eventLog, admin, dryRun, say }: Redrive, topic: string): Promise<void> {
  const from = await nextOffset(admin, topic)
  const letters = (await eventLog.readToEnd(topic)).filter(({ offset }) => offset >= from)
  let next = from
  try {
    for (const letter of letters) {
      const sent = redriveOf(letter)
      if (sent && !dryRun) await eventLog.publish(sent.topic, [sent.record])
      say(`${topic} ${describe(letter)}; ${sent ? `${dryRun ? 'would go' : 'sent back'} to ${sent.topic}` : 'it names no topic and is left alone'}`)
      next = letter.offset + 1
    }
  } finally {
    if (!dryRun && next > from) await admin.setOffsets({ groupId: GROUP, topic, partitions: [{ partition: 0, offset: String(next) }] })
  }
  say(`${topic}: ${letters.length} ${dryRun ? 'to be sent back' : 'dealt with'}`)
}

async function redrive(args: readonly string[], say: (line: string) => void): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options: { 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } }, allowPositionals: true })
  if (values.help) return say(USAGE)
  const topics = chosen(positionals)
  const connection = connectionFrom(readConfig(z.object(kafkaSettings), environment()), GROUP)
  const { value: eventLog, stop } = createKafkaLog({ connection, log: silentLog, onFatal: fail })
  try {
    await withAdmin(createClient(connection, silentLog, defaultKafkaTiming), async (admin) => {
      for (const topic of topics) await redriveTopic({ eventLog, admin, dryRun: values['dry-run'] ?? false, say }, topic)
    })
  } finally {
    await stop()
  }
}

function fail(error: unknown): void {
  process.stderr.write(`redrive: ${messageOf(error)}\n`)
  process.exitCode = 1
}

redrive(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`)).catch(fail)
