/** How one attempt to deliver ended. */
export type Attempt =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | null }
  /** Nobody answered, or nobody could be asked. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface Standing {
  /** Attempts so far, this one included. */
  readonly attempts: number
  /** Since when it is to be delivered. */
  readonly queuedAt: Date
  readonly now: Date
  readonly giveUpAfterMs: number
  /** Between 0 and 1: spreads those who wait for the same receiver. */
  readonly jitter: number
}

export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly at: Date; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string }

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 600_000

const isWorthAnother = (status: number): boolean => status === 429 || status >= 500

/** Half of the pause is certain, half is chance: 1 s, doubling, at most ten minutes. */
const pauseMs = (attempts: number, jitter: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20)) * (0.5 + jitter / 2)

/** `Retry-After` (RFC 9110, section 10.2.3) as milliseconds from now; 0 where it says nothing that can be read. */
export function retryAfterMs(header: string | null, now: Date): number {
  if (header === null) return 0
  const text = header.trim()
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? 0 : Math.max(0, date - now.getTime())
}

/**
 * What becomes of a delivery. 2xx is delivered; 429, 5xx and silence are tried again with growing pauses or as late as the receiver asks; anything else would
 * be refused again. The last attempt is made when the delivery's time is over, whatever pause the receiver asked for.
 */
export function judgeAttempt(attempt: Attempt, standing: Standing): Verdict {
  if (attempt.kind === 'answered' && attempt.status >= 200 && attempt.status < 300) return { kind: 'delivered' }
  const reason = attempt.kind === 'answered' ? reasonOf(attempt.status) : attempt.reason
  if (attempt.kind === 'answered' && !isWorthAnother(attempt.status)) return { kind: 'dead', reason }
  const { attempts, queuedAt, now, giveUpAfterMs, jitter } = standing
  const deadline = queuedAt.getTime() + giveUpAfterMs
  if (now.getTime() >= deadline) return { kind: 'dead', reason }
  const asked = attempt.kind === 'answered' ? retryAfterMs(attempt.retryAfter, now) : 0
  const at = now.getTime() + Math.max(pauseMs(attempts, jitter), asked)
  return { kind: 'retry', at: new Date(Math.min(at, deadline)), reason }
}

const reasonOf = (status: number): string =>
  status >= 300 && status < 400 ? `answered with status ${status}: redirects are not followed, give the final URL` : `answered with status ${status}`
