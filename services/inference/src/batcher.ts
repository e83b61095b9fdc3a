import { AppError, messageOf, TransientError } from '@millrace/platform/errors.ts'
import { batchKeyOf, joinRows, splitRows, stack, takeBatch, unstack } from './domain/batch.ts'
import { expectBatchMs, expectWaitMs, noServiceTime, observeBatch } from './domain/service-time.ts'
import type { Tensor } from './domain/tensor.ts'

/** Runs one batch at a time. */
export interface Executor {
  run(inputs: readonly Tensor[]): Promise<Tensor[]>
}

/** How one batch went. */
export interface BatchReport {
  readonly rows: number
  /** How long its oldest request waited. */
  readonly queueMs: number
  readonly computeMs: number
  /** Rows that wait now. */
  readonly queuedRows: number
}

export interface BatcherLimits {
  readonly maxRows: number
  readonly maxQueueRows: number
  /** How long a batch that is not full waits for company while an executor is idle; 0: not at all. */
  readonly maxDelayMs: number
}

export interface BatcherOptions extends BatcherLimits {
  /** Whether rows of different requests may run as one. */
  readonly batchable: boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly onBatch: (batch: BatchReport) => void
  /** Nobody is idle, and requests wait for so long: in the queue, or for each other in a batch. */
  readonly onPressure?: (waitMs: number) => void
  /** Calls back once what has arrived already was told; without it a request does not wait for others that were read in the same turn. */
  readonly afterArrivals?: (then: () => void) => void
}

export interface BatchRequest {
  /** Already validated against the signature. */
  readonly inputs: readonly Tensor[]
  readonly rows: number
  /** On the clock of `now`. */
  readonly deadlineMs: number
  /** The client has gone. */
  readonly signal: AbortSignal
  /** Nobody waits for it: it runs when nothing else does, and is refused where anything waits. */
  readonly background?: boolean
}

interface Entry {
  readonly key: string
  readonly rows: number
  readonly inputs: readonly Tensor[]
  readonly deadlineMs: number
  readonly queuedMs: number
  /** Ran before, with others or on an executor that was lost: runs alone now, and once only. */
  retried: boolean
  settled: boolean
  readonly resolve: (outputs: Tensor[]) => void
  readonly reject: (error: Error) => void
}

/** A batch that takes less costs more to hand over than it gains from a second executor. */
const WORTH_SHARING_MS = 1

/**
 * Work-conserving: an idle executor takes what is queued at once, up to `maxRows` rows of equal shape; nothing waits for company unless `maxDelayMs` says so.
 * Bounded: a full queue, or a deadline that cannot be met, is refused at the door. What expired in the queue is never run.
 */
export class Batcher {
  #options: BatcherOptions
  readonly #idle = new Set<Executor>()
  readonly #executors = new Set<Executor>()
  #queue: Entry[] = []
  #time = noServiceTime
  #delay: NodeJS.Timeout | null = null
  /** Requests of this turn so far. */
  #gathering = 0

  constructor(options: BatcherOptions) {
    this.#options = options
  }

  get queuedRows(): number {
    return this.#queue.reduce((rows, entry) => rows + entry.rows, 0)
  }

  add(executor: Executor): void {
    this.#executors.add(executor)
    this.#idle.add(executor)
    this.#dispatch()
  }

  /** Holds from the next request on. */
  configure(limits: BatcherLimits): void {
    this.#options = { ...this.#options, ...limits }
    this.#dispatch()
  }

  /** An executor that is gone gets no more work. */
  remove(executor: Executor): void {
    this.#executors.delete(executor)
    this.#idle.delete(executor)
  }

  /**
   * Answers with all outputs.
   * @throws AppError TEMPORARILY_UNAVAILABLE (details.reason `queue_full` or `deadline`), DEADLINE_EXCEEDED, CANCELLED; Error when the model fails; TransientError when its thread was lost
   */
  async submit(request: BatchRequest): Promise<Tensor[]> {
    this.#admit(request)
    const { maxRows, batchable } = this.#options
    const parts = batchable ? splitRows(request.inputs, request.rows, maxRows) : [request.inputs]
    const answers = await Promise.all(parts.map((inputs) => this.#enqueue(request, inputs, parts.length === 1 ? request.rows : (inputs[0]?.shape[0] ?? 1))))
    const [first] = answers
    if (!first || answers.length === 1) return first ?? []
    return first.map((output, index) => joinRows(answers.flatMap((outputs) => outputs[index] ?? [])) ?? output)
  }

  #admit({ rows, deadlineMs, background = false }: BatchRequest): void {
    const { maxQueueRows, maxRows, now } = this.#options
    const queuedRows = this.queuedRows
    const busy = this.#executors.size - this.#idle.size
    const waitMs = expectWaitMs(this.#time, { queuedRows, busy, executors: this.#executors.size, maxRows }, rows)
    if (now() >= deadlineMs) throw late()
    if (background && queuedRows > 0) throw shed('queue_full', 'Others wait', waitMs)
    if (queuedRows > 0 && queuedRows + rows > maxQueueRows) throw shed('queue_full', `The queue is full (${queuedRows} rows wait)`, waitMs)
    if (now() + waitMs > deadlineMs) throw shed('deadline', 'The answer cannot be ready before the deadline', waitMs)
  }

  #enqueue({ deadlineMs, signal }: BatchRequest, inputs: readonly Tensor[], rows: number): Promise<Tensor[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Tensor[]>()
    const key = this.#options.batchable ? batchKeyOf(inputs) : ''
    const entry: Entry = { key, rows, inputs, deadlineMs, queuedMs: this.#options.now(), retried: !this.#options.batchable, settled: false, resolve, reject }
    const leave = (error: AppError) => this.#leave(entry, error)
    const timer = setTimeout(() => leave(late()), Math.max(0, deadlineMs - this.#options.now()))
    const onGone = () => leave(new AppError('CANCELLED', 'The client went away before its answer was ready.'))
    signal.addEventListener('abort', onGone, { once: true })
    this.#queue.push(entry)
    this.#gather()
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onGone)
    })
  }

  /** What arrived together runs together: ten requests of one turn are one message to a thread instead of several. */
  #gather(): void {
    const { afterArrivals } = this.#options
    if (!afterArrivals) this.#dispatch()
    else if (this.#gathering++ === 0) {
      afterArrivals(() => {
        this.#gathering = 0
        this.#dispatch()
      })
    }
  }

  /** Out of the queue; a batch that runs already is not interrupted. */
  #leave(entry: Entry, error: AppError): void {
    entry.settled = true
    this.#queue = this.#queue.filter((other) => other !== entry)
    entry.reject(error)
  }

  /** The executor that was busy last takes the next batch: its memory is warm, and the others may be let go. */
  #dispatch(): void {
    for (const executor of [...this.#idle].reverse()) {
      this.#dropExpired()
      if (this.#queue.length === 0 || this.#waitsForCompany()) return
      const { batch, rest } = this.#take()
      this.#queue = rest
      this.#idle.delete(executor)
      void this.#run(executor, batch)
      this.#tellOfCompany(batch)
    }
    const [oldest] = this.#queue
    if (oldest) this.#options.onPressure?.(this.#options.now() - oldest.queuedMs)
  }

  /** Requests of a slow model that run together would be answered sooner apart. */
  #tellOfCompany(batch: readonly Entry[]): void {
    if (batch.length < 2 || this.#idle.size > 0) return
    const rows = batch.reduce((sum, entry) => sum + entry.rows, 0)
    this.#options.onPressure?.(expectBatchMs(this.#time, rows) / 2)
  }

  /** A timer may be late when this thread is busy. */
  #dropExpired(): void {
    const now = this.#options.now()
    for (const entry of this.#queue) if (entry.deadlineMs <= now) this.#leave(entry, late())
  }

  #waitsForCompany(): boolean {
    const { maxDelayMs, maxRows, batchable, now } = this.#options
    const [oldest] = this.#queue
    if (maxDelayMs === 0 || !batchable || !oldest || oldest.retried || this.queuedRows >= maxRows) return false
    const leftMs = oldest.queuedMs + maxDelayMs - now()
    if (leftMs <= 0) return false
    this.#delay ??= setTimeout(() => {
      this.#delay = null
      this.#dispatch()
    }, leftMs)
    return true
  }

  /** What was retried, or cannot be batched, runs alone. */
  #take(): { batch: Entry[]; rest: Entry[] } {
    const [first, ...others] = this.#queue
    if (first?.retried) return { batch: [first], rest: others }
    const { batch, rest } = takeBatch(this.#queue, this.#share())
    const alone = batch.filter(({ retried }) => retried)
    return { batch: batch.filter(({ retried }) => !retried), rest: [...alone, ...rest] }
  }

  /** Rows of one batch: shared out evenly where several executors are idle and the work is worth it. */
  #share(): number {
    const { maxRows } = this.#options
    const rows = Math.min(maxRows, this.queuedRows)
    if (this.#idle.size < 2 || expectBatchMs(this.#time, rows) < WORTH_SHARING_MS) return maxRows
    return Math.min(maxRows, Math.ceil(this.queuedRows / this.#idle.size))
  }

  async #run(executor: Executor, batch: Entry[]): Promise<void> {
    const started = this.#options.now()
    const rows = batch.reduce((sum, entry) => sum + entry.rows, 0)
    try {
      const outputs = await executor.run(stack(batch.map(({ inputs }) => inputs)))
      const computeMs = this.#options.now() - started
      this.#time = observeBatch(this.#time, rows, computeMs)
      this.#options.onBatch({ rows, queueMs: started - (batch[0]?.queuedMs ?? started), computeMs, queuedRows: this.queuedRows })
      this.#handOut(batch, outputs)
    } catch (error) {
      this.#retry(batch, error)
    }
    if (this.#executors.has(executor)) this.#idle.add(executor)
    this.#dispatch()
  }

  #handOut(batch: Entry[], outputs: Tensor[]): void {
    const answers = unstack(
      outputs,
      batch.map(({ rows }) => rows),
    )
    if (!answers) throw new Error('the model did not answer one row per input row')
    for (const [index, entry] of batch.entries()) entry.resolve(answers[index] ?? [])
  }

  /** A batch that failed is run once more one by one, so that only the culprit fails. So is what was on an executor that was lost. */
  #retry(batch: Entry[], error: unknown): void {
    const again = batch.filter((entry) => !entry.settled && (batch.length > 1 || (error instanceof TransientError && !entry.retried)))
    for (const entry of batch) {
      if (again.includes(entry)) entry.retried = true
      else if (!entry.settled) entry.reject(error instanceof TransientError ? error : new Error(messageOf(error), { cause: error }))
    }
    this.#queue = [...again, ...this.#queue]
  }
}

const late = (): AppError => new AppError('DEADLINE_EXCEEDED', 'The deadline of the request passed before its answer was ready.')

const shed = (reason: 'queue_full' | 'deadline', what: string, waitMs: number): AppError =>
  new AppError('TEMPORARILY_UNAVAILABLE', `${what}: try again after the time in Retry-After.`, { details: { reason, retryAfterSeconds: waitMs / 1000 } })
