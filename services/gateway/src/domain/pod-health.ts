/** When a pod is left alone, and how it comes back. */
export interface HealthRules {
  /** Faults in a row until it is left alone. */
  readonly faultsUntilEjection: number
  /** The first time away; the n-th in close succession takes n times as long. */
  readonly ejectionMs: number
  /** A pod that is new, or comes back, takes a share that grows to a whole one within this time. */
  readonly slowStartMs: number
}

/** What a pod last said about itself when it was asked; `gone` when it did not answer twice in a row. */
export type Readiness = 'unknown' | 'ready' | 'not_ready' | 'gone'

const MAX_TIMES = 12
const SMALLEST_SHARE = 0.1
/** Weight of the newest answer in the mean latency: the last twenty or so count. */
const NEWEST = 0.1
const PROBES_UNTIL_GONE = 2
/** A refused connection is over sooner than a bad answer: whoever restarts is back within a second or two. */
const REFUSED_MS = 1000

/** All that the gateway knows of one pod's condition. Times are those of one monotonic clock, in milliseconds. */
export class PodHealth {
  readonly #rules: HealthRules
  #readiness: Readiness = 'unknown'
  #failedProbes = 0
  #faults = 0
  #ejections = 0
  #awayUntilMs = Number.NEGATIVE_INFINITY
  #calmSinceMs = 0
  #inServiceSinceMs: number
  #latencyMs = 0
  #answers = 0

  /** A pod of the first list is in full service at once: where all are new, nobody could take over the rest. */
  constructor(rules: HealthRules, nowMs: number, isFirst: boolean) {
    this.#rules = rules
    this.#inServiceSinceMs = isFirst ? nowMs - rules.slowStartMs : nowMs
  }

  get readiness(): Readiness {
    return this.#readiness
  }

  /** Mean of the latest answers' latency. */
  get latencyMs(): number {
    return this.#latencyMs
  }

  /** Answers since it came into service. */
  get answers(): number {
    return this.#answers
  }

  isEjected(nowMs: number): boolean {
    return nowMs < this.#awayUntilMs
  }

  /** Whether it is to get new requests; where no pod is, one that does not serve is better than none. */
  isServing(nowMs: number): boolean {
    return nowMs >= this.#awayUntilMs && this.#readiness !== 'not_ready' && this.#readiness !== 'gone'
  }

  /** Its share beside a pod in full service, from a tenth to 1. */
  share(nowMs: number): number {
    const age = nowMs - Math.max(this.#inServiceSinceMs, this.#awayUntilMs)
    return age >= this.#rules.slowStartMs ? 1 : Math.max(SMALLEST_SHARE, age / this.#rules.slowStartMs)
  }

  answered(latencyMs: number): void {
    this.#faults = 0
    this.#answers += 1
    this.#latencyMs = this.#answers === 1 ? latencyMs : this.#latencyMs + NEWEST * (latencyMs - this.#latencyMs)
  }

  /** Counts a bad answer, or none. True when it is time to leave the pod alone: after one fault already where it has just come back from that. */
  failed(nowMs: number): boolean {
    this.#faults += 1
    return this.#faults >= (this.share(nowMs) < 1 && this.#ejections > 0 ? 1 : this.#rules.faultsUntilEjection)
  }

  /** It took no connection. */
  refused(nowMs: number): void {
    this.#leaveAlone(nowMs + REFUSED_MS)
  }

  eject(nowMs: number): void {
    this.#ejections = Math.min(MAX_TIMES, this.#ejections + 1)
    this.#leaveAlone(nowMs + this.#rules.ejectionMs * this.#ejections)
    this.#calmSinceMs = this.#awayUntilMs
  }

  #leaveAlone(untilMs: number): void {
    this.#awayUntilMs = Math.max(this.#awayUntilMs, untilMs)
    this.#faults = 0
    this.#answers = 0
  }

  /** Good conduct counts: each span of the first ejection's length spent in service takes one off the count. */
  forgive(nowMs: number): void {
    if (this.#ejections === 0 || nowMs < this.#calmSinceMs + this.#rules.ejectionMs + this.#rules.slowStartMs) return
    this.#ejections -= 1
    this.#calmSinceMs = nowMs
  }

  /** What it said when it was asked whether it is ready; null when it did not answer. */
  probed(ready: boolean | null, nowMs: number): void {
    this.#failedProbes = ready === null ? this.#failedProbes + 1 : 0
    const next = readinessAfter(ready, this.#failedProbes, this.#readiness)
    const isBack = next === 'ready' && (this.#readiness === 'gone' || this.#readiness === 'not_ready')
    if (isBack) this.#inServiceSinceMs = nowMs
    this.#readiness = next
  }
}

function readinessAfter(ready: boolean | null, failedProbes: number, before: Readiness): Readiness {
  if (ready !== null) return ready ? 'ready' : 'not_ready'
  return failedProbes >= PROBES_UNTIL_GONE ? 'gone' : before
}
