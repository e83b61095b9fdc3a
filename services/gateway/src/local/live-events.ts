import type { ServerResponse } from 'node:http'
import { servingObserved } from '@millrace/contracts/events/serving-events.ts'
import { topicNames } from '@millrace/contracts/events/topics.ts'
import { LISTING, onModel } from '@millrace/platform/access/permission.ts'
import { mayEverywhere, mayOn } from '@millrace/platform/access/rights.ts'
import type { Started } from '@millrace/platform/component.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { decodeRecord } from '@millrace/platform/events/cloudevents.ts'
import type { DeliveredRecord, EventLog } from '@millrace/platform/events/event-log.ts'
import { z } from 'zod'
import type { Caller } from '../access/authenticate.ts'
import { EventHistory, type LiveEvent } from '../domain/event-history.ts'
import { SECURITY_HEADERS } from '../forward/headers.ts'
import type { LocalRequest, LocalRoute } from './local-request.ts'

const HISTORY = 500
const FIRST_SHOWN = 50
const MAX_READERS = 200
const HEARTBEAT_MS = 15_000
/** A reader with more than this unread is cut off: it comes back and resumes. */
const MAX_UNREAD_BYTES = 1_048_576

/** One record per prediction or label, not per decision, and what says the same for other systems: never shown. */
const NOT_SHOWN = ['millrace.inference-log.v1', 'millrace.label-events.v1', 'millrace.openlineage.v1']
const topics = topicNames.filter((topic) => !NOT_SHOWN.includes(topic))

export interface LiveEvents {
  readonly route: LocalRoute
  start(): Promise<void>
  /** Ends every stream and takes no more: a port cannot close while somebody reads. */
  endStreams(): void
  stop(): Promise<void>
}

/** GET /api/v1/events: the control plane's events as server-sent events. `Last-Event-ID` resumes within the last events held. */
export function createLiveEvents(eventLog: EventLog): LiveEvents {
  const history = new EventHistory(HISTORY)
  const readers = new Map<ServerResponse, Caller>()
  let following: Started<null> | null = null
  let heartbeat: NodeJS.Timeout | null = null
  let ending = false

  async function receive(record: DeliveredRecord): Promise<void> {
    const event = readEvent(record)
    if (!event) return
    history.add(event)
    const text = format(event)
    for (const [reader, caller] of readers) if (mayFollow(caller, event)) write(reader, text)
  }
  async function handle(local: LocalRequest): Promise<void> {
    if (ending) throw new AppError('TEMPORARILY_UNAVAILABLE', 'The gateway is stopping: try again.')
    if (readers.size >= MAX_READERS) throw new AppError('TEMPORARILY_UNAVAILABLE', `${MAX_READERS} readers follow the events already: try again later.`)
    const { response, caller } = local
    open(local)
    const last = local.request.headers['last-event-id']
    const missed = typeof last === 'string' ? history.after(last) : history.newest(FIRST_SHOWN)
    write(
      response,
      `retry: 2000\n\n${missed
        .filter((event) => mayFollow(caller, event))
        .map(format)
        .join('')}`,
    )
    readers.set(response, caller)
    response.once('close', () => readers.delete(response))
  }
  return {
    route: { method: 'GET', path: '/api/v1/events', access: 'read', permission: onModel('READ', LISTING), handle },
    async start() {
      following = await eventLog.broadcast({ topics, receive, caughtUp: () => history.sort() })
      heartbeat = setInterval(() => readers.forEach((_caller, reader) => void write(reader, ': still here\n\n')), HEARTBEAT_MS)
    },
    endStreams() {
      ending = true
      for (const reader of readers.keys()) reader.end()
    },
    async stop() {
      if (heartbeat) clearInterval(heartbeat)
      await following?.stop()
    },
  }
}

function open({ response, requestId }: LocalRequest): void {
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no', 'x-request-id': requestId }
  response.writeHead(200, { ...SECURITY_HEADERS, ...headers })
}

function write(reader: ServerResponse, text: string): void {
  if (reader.writableLength > MAX_UNREAD_BYTES) reader.destroy()
  else reader.write(text)
}

/** Counts of traffic come every few seconds from every pod: they belong into metrics, not into the story. */
function readEvent(record: DeliveredRecord): LiveEvent | null {
  const decoded = decodeRecord(record)
  if (decoded.kind !== 'event' || decoded.event.type === servingObserved.type) return null
  const { id, type, subject, time, data } = decoded.event
  return { position: `${record.topic}/${record.partition}/${record.offset}`, id, type, topic: record.topic, subject, time: time.toISOString(), data }
}

const format = (event: LiveEvent): string => `id: ${event.position}\ndata: ${JSON.stringify(event)}\n\n`

const aboutModel = z.looseObject({ model: z.string() })

/** Whoever may not read everything is told of the models that they may read; a run does not tell its experiment's name. */
function mayFollow(caller: Caller, { data }: LiveEvent): boolean {
  const who = { ...caller, service: 'gateway' }
  if (mayEverywhere(who, 'READ')) return true
  const about = aboutModel.safeParse(data)
  return about.success && mayOn(who, 'READ', { kind: 'model', name: about.data.model })
}
