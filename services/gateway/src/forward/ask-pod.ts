import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { HEADER_REASON } from '@millrace/contracts/http/inference.ts'
import type { Dispatcher } from 'undici'
import type { Pod, RunningCall } from '../balance/pods.ts'
import { returnedHeaders } from './headers.ts'
import type { ClientWatch } from './watch-client.ts'

/** An answer that was not passed on, because another pod may have a better one. */
export interface HeldAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** How a pod took the request: as it should, as one that has too much to do or lacks the model, or badly. */
export type Conduct = 'well' | 'unwilling' | 'badly'

export interface AskOptions {
  readonly response: ServerResponse
  readonly requestId: string
  readonly client: ClientWatch
  /** Whether the request may go to another pod while nothing was answered. */
  readonly isMovable: () => boolean
  /** Whether an answer that says "not here, not now" is to be held back. Asked once. */
  readonly holdBack: (status: number, headers: IncomingHttpHeaders) => boolean
  /** Told with the head of the answer. */
  readonly onAnswer: (status: number, conduct: Conduct) => void
}

const COMPLETE = Number.NEGATIVE_INFINITY
/** A held answer is an error in a few words; a longer one is passed on as it comes. */
const MAX_HELD_BYTES = 65_536
/** Answers of status 500 and above that say nothing against the pod. */
const INNOCENT = [501, 504, 507]

const conductOf = (status: number, headers: IncomingHttpHeaders): Conduct => {
  if (status < 500 || INNOCENT.includes(status)) return 'well'
  return status === 503 && headers[HEADER_REASON] !== undefined ? 'unwilling' : 'badly'
}

/**
 * Asks one pod and streams what it answers to the client, chunk by chunk with back-pressure, never held whole. Resolves when the answer is complete, or with it where it
 * was held back.
 */
export function askPod(pod: Pod, request: Dispatcher.DispatchOptions, options: AskOptions): Promise<HeldAnswer | null> {
  const { client } = options
  const { promise, resolve, reject } = Promise.withResolvers<HeldAnswer | null>()
  const relay = new Relay(options, { resolve, reject })
  const call: RunningCall = { isMovable: () => options.isMovable() && !relay.begun, cancel: (reason) => relay.cancel(reason) }
  pod.calls.add(call)
  client.onOver = call.cancel
  if (client.over) relay.cancel(client.over)
  else pod.pool.dispatch(request, relay)
  const end = (): void => {
    pod.calls.delete(call)
    client.onOver = null
  }
  promise.then(end, end)
  return promise
}

interface Settle {
  readonly resolve: (held: HeldAnswer | null) => void
  readonly reject: (reason: unknown) => void
}

/** Receives one answer from undici. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #options: AskOptions
  readonly #settle: Settle
  #controller: Dispatcher.DispatchController | null = null
  #cancelled: Error | null = null
  #held: { status: number; headers: IncomingHttpHeaders; chunks: Buffer[] } | null = null
  /** Bytes of the content that have not come yet; not a number where their count was not announced. */
  #missing = Number.NaN
  begun = false

  constructor(options: AskOptions, settle: Settle) {
    this.#options = options
    this.#settle = settle
  }

  /** The promise is not left to the connection: a call may still be waiting for a free one. */
  cancel(reason: Error): void {
    this.#cancelled = reason
    this.#controller?.abort(reason)
    this.#settle.reject(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cancelled) controller.abort(this.#cancelled)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#cancelled) return
    const { response, requestId, holdBack, onAnswer } = this.#options
    this.begun = true
    onAnswer(status, conductOf(status, headers))
    const isShort = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) <= MAX_HELD_BYTES
    if (isShort && holdBack(status, headers)) this.#held = { status, headers, chunks: [] }
    else {
      response.writeHead(status, returnedHeaders(headers, requestId))
      this.#missing = Number(headers['content-length'] ?? Number.NaN)
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#held) this.#held.chunks.push(Buffer.from(chunk))
    else this.#write(controller, chunk)
  }

  /** Head, content and end in one go where the content is all there: one call of the system instead of two for most answers. */
  #write(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#options
    this.#missing -= chunk.length
    if (this.#missing === 0) {
      this.#missing = COMPLETE
      response.end(chunk, () => this.#settle.resolve(null))
    } else if (!response.write(chunk)) {
      controller.pause()
      response.once('drain', () => controller.resume())
    }
  }

  onResponseEnd(): void {
    if (this.#held) {
      const { status, headers, chunks } = this.#held
      this.#settle.resolve({ status, headers, body: Buffer.concat(chunks) })
    } else if (this.#missing !== COMPLETE) this.#options.response.end(() => this.#settle.resolve(null))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(this.#cancelled ?? error)
  }
}
