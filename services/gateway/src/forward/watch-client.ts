import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'

const tooLong = (limitMs: number): AppError =>
  new AppError('DEADLINE_EXCEEDED', `The call took longer than the ${limitMs} ms that it has: try again later, or allow more in x-request-timeout-ms.`)
const neverArrived = (): AppError => new AppError('REQUEST_TIMEOUT', 'The body did not arrive in time: send it again, faster.')

/** Knows when nobody waits for the answer any more. One listener at a time, no signals: this is made for every prediction. */
export interface ClientWatch {
  /** Why it is over; null while somebody waits. */
  readonly over: AppError | null
  /** Called once, when it is over. */
  onOver: ((reason: AppError) => void) | null
  /** Until the deadline; null where there is none. */
  remainingMs(): number | null
  stop(): void
}

/** Over when the client goes, when the whole call takes longer than `totalMs`, or, where that is null, when nothing moves on the client's connection for `stallMs`. */
export function watchClient(request: IncomingMessage, response: ServerResponse, limits: { totalMs: number | null; stallMs: number }): ClientWatch {
  const { totalMs, stallMs } = limits
  const endsAtMs = totalMs === null ? null : performance.now() + totalMs
  let over: AppError | null = null
  const end = (reason: AppError): void => {
    if (over) return
    over = reason
    watch.onOver?.(reason)
  }
  const late = (): void => end(request.complete ? tooLong(totalMs ?? stallMs) : neverArrived())
  const gone = (): void => {
    if (!response.writableFinished) end(new AppError('CANCELLED', 'The client went away.'))
  }
  const timer = totalMs === null ? null : setTimeout(late, totalMs)
  const { socket } = request
  if (totalMs === null) socket.setTimeout(stallMs, late)
  response.once('close', gone)
  const watch: ClientWatch = {
    get over() {
      return over
    },
    onOver: null,
    remainingMs: () => (endsAtMs === null ? null : Math.max(1, Math.ceil(endsAtMs - performance.now()))),
    stop() {
      if (timer) clearTimeout(timer)
      if (totalMs === null) socket.setTimeout(0).off('timeout', late)
      response.off('close', gone)
      watch.onOver = null
    },
  }
  return watch
}
