import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../errors.ts'

/**
 * Waits until `condition` answers something truthy and returns it; a throw counts as "not yet". Rejects after `timeoutMs` with the last failure as the reason.
 */
export async function until<T>(condition: () => T | Promise<T>, options: { timeoutMs?: number; everyMs?: number } = {}): Promise<NonNullable<T>> {
  const { timeoutMs = 60_000, everyMs = 5 } = options
  const deadline = performance.now() + timeoutMs
  let reason: unknown = 'the condition never held'
  while (performance.now() < deadline) {
    try {
      const answer = await condition()
      if (answer) return answer
    } catch (error) {
      reason = error
    }
    await pause(everyMs)
  }
  throw new Error(`waited ${timeoutMs} ms in vain: ${messageOf(reason)}`, { cause: reason })
}
