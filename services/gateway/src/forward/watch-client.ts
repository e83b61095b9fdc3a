import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'

const tooLong = (limitMs: number): AppError => new AppError('DEADLINE_EXCEEDED', `The call took longer than the ${limitMs} ms allowed here.`)
const neverArrived = new AppError('REQUEST_TIMEOUT', 'The body did not arrive in time: send it again, faster.')

/**
 * Aborts when the client goes, when the whole call takes longer than `totalMs`, or, where that is null, when nothing moves on the client's connection for `stallMs`.
 * `stop` ends the watch.
 */
export function watchClient(request: IncomingMessage, response: ServerResponse, limits: { totalMs: number | null; stallMs: number }) {
  const controller = new AbortController()
  const late = (): void => controller.abort(request.complete ? tooLong(limits.totalMs ?? limits.stallMs) : neverArrived)
  const gone = (): void => {
    if (!response.writableFinished) controller.abort(new AppError('CANCELLED', 'The client went away.'))
  }
  const timer = limits.totalMs === null ? null : setTimeout(late, limits.totalMs)
  const { socket } = request
  if (limits.totalMs === null) socket.setTimeout(limits.stallMs, late)
  response.once('close', gone)
  return {
    signal: controller.signal,
    stop(): void {
      if (timer) clearTimeout(timer)
      if (limits.totalMs === null) socket.setTimeout(0).off('timeout', late)
      response.off('close', gone)
    },
  }
}
