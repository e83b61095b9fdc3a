import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { returnedHeaders } from './headers.ts'

export interface RelayOptions {
  readonly response: ServerResponse
  readonly requestId: string
  /** Aborts the call when the client goes or time runs out. */
  readonly signal: AbortSignal
  /** Whether an answer may be let go, because another pod can be asked: true for a pod that sheds load. */
  readonly shed: (status: number, reason: unknown) => boolean
}

/** The pod asked to be spared; nothing was sent to the client. */
export class ShedError extends Error {}

/** Streams what a service answers to the client, chunk by chunk with back-pressure, never held whole. Resolves when the answer is complete. */
export function relayAnswer(dispatch: (handler: Dispatcher.DispatchHandler) => void, options: RelayOptions): Promise<void> {
  const { response, requestId, signal, shed } = options
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let running: Dispatcher.DispatchController | null = null
  const abort = (): void => {
    running?.abort(toError(signal.reason))
    // Not left to the connection: a call may still be waiting for a free one.
    reject(signal.reason)
  }
  const settle = (then: () => void): void => {
    signal.removeEventListener('abort', abort)
    then()
  }
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  dispatch({
    onRequestStart(controller) {
      running = controller
      if (signal.aborted) controller.abort(toError(signal.reason))
    },
    onResponseStart(controller, status, headers) {
      if (status < 200) return
      if (shed(status, headers['x-millrace-reason'])) controller.abort(new ShedError('the pod sheds load'))
      else response.writeHead(status, returnedHeaders(headers, requestId))
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd: () => settle(() => response.end(resolve)),
    onResponseError: (_controller, error) => settle(() => reject(error)),
  })
  return promise
}

const toError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
