import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Batcher, Executor } from './batcher.ts'
import type { ModelSettings } from './domain/model-settings.ts'
import { rehearse } from './open-version.ts'
import type { LocalArtifact } from './read-artifact.ts'
import type { ThreadPool } from './thread-pool.ts'
import { openSession, type Session } from './threads/session.ts'
import type { Spare } from './threads/spare.ts'
import type { Thread } from './threads/thread.ts'

export interface CrewDeps {
  /** One thread is kept ready for the next promotion; what a freed version leaves goes back there. */
  readonly threads: Spare<Thread>
  readonly startThread: () => Promise<Thread>
  /** Threads beyond the first of each version. */
  readonly pool: ThreadPool
  /** Whether that much memory is free for another session. */
  readonly hasRoom: (bytes: number) => boolean
  /** A batch that runs longer is given up together with its thread. */
  readonly runLimitMs: number
  readonly idleMs: number
  readonly log: Log
}

export interface CrewModel {
  readonly model: string
  readonly version: string
  readonly artifact: LocalArtifact
  readonly batcher: Batcher
  readonly settings: () => ModelSettings
  readonly intraOpThreads: number
  readonly sessionBytes: number
  /** A batch did not come to an end. */
  readonly onStuck: () => void
}

interface Member {
  readonly session: Session
  readonly executor: Executor
  /** Taken from the pool. */
  readonly extra: boolean
  usedMs: number
}

/** Requests that wait this long with every thread busy, for so long without a break, call for another one: a hiccup, such as a swap, does not. */
const WAIT_MS = 5
const PRESSED_MS = 200
const BREAK_MS = 100
/** After a thread that could not be opened. */
const GROW_PAUSE_MS = 10_000
const REOPEN_PAUSE_MS = 1000
const LOW_NICENESS = 10
const LAST_NICENESS = 19

/** The threads of one version: the first is there as long as it is, others come with load and go when they are idle. */
export class Crew {
  readonly #deps: CrewDeps
  readonly #model: CrewModel
  readonly #members = new Set<Member>()
  readonly #shrinking: NodeJS.Timeout
  #growing: Promise<void> | null = null
  #pressedSinceMs = 0
  #pressedLastMs = 0
  #notBeforeMs = 0
  readonly #stopping = new AbortController()

  constructor(deps: CrewDeps, model: CrewModel, first: Session) {
    this.#deps = deps
    this.#model = model
    this.#join(first, false)
    this.#shrinking = setInterval(() => this.#shrink(), deps.idleMs / 2).unref()
  }

  get size(): number {
    return this.#members.size
  }

  /** Told by the queue while nobody is idle. */
  onPressure(oldestWaitMs: number): void {
    const { pool, hasRoom } = this.#deps
    const { threads, priority } = this.#model.settings()
    if (oldestWaitMs < WAIT_MS || !this.#isPressed(performance.now(), oldestWaitMs)) return
    if (this.#growing || this.#stopping.signal.aborted || this.size === 0 || this.size >= threads) return
    if (!hasRoom(this.#model.sessionBytes) || !pool.take(priority)) return
    this.#growing = this.#open(0, true).finally(() => {
      this.#growing = null
    })
  }

  /** A slow model is heard of only when a batch ends: who has waited since then was pressed all the while. */
  #isPressed(nowMs: number, oldestWaitMs: number): boolean {
    if (nowMs - this.#pressedLastMs > BREAK_MS) this.#pressedSinceMs = nowMs
    this.#pressedSinceMs = Math.min(this.#pressedSinceMs, nowMs - oldestWaitMs)
    this.#pressedLastMs = nowMs
    return nowMs - this.#pressedSinceMs >= PRESSED_MS && nowMs >= this.#notBeforeMs
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#shrinking)
    await Promise.all([...this.#members].map((member) => this.#leave(member)))
  }

  #join(session: Session, extra: boolean): void {
    const member: Member = { session, extra, usedMs: performance.now(), executor: { run: (inputs) => this.#run(member, inputs) } }
    if (this.#model.settings().priority === 'low') session.beNice(LOW_NICENESS)
    this.#members.add(member)
    this.#model.batcher.add(member.executor)
    session.onLost(() => this.#replace(member, 'a model thread ended; another one is started'))
  }

  async #run(member: Member, inputs: Parameters<Session['run']>[0]): ReturnType<Session['run']> {
    const limit = Promise.withResolvers<never>()
    const timer = setTimeout(() => limit.reject(new Error(`the model had not answered after ${this.#deps.runLimitMs} ms`)), this.#deps.runLimitMs)
    const running = member.session.run(inputs)
    try {
      return await Promise.race([running, limit.promise])
    } catch (error) {
      if (member.session.busy) this.#giveUp(member)
      throw error
    } finally {
      member.usedMs = performance.now()
      clearTimeout(timer)
    }
  }

  /** Nothing ends a native call: the thread is left to itself, behind everything else on the machine. */
  #giveUp(member: Member): void {
    member.session.beNice(LAST_NICENESS)
    this.#replace(member, 'a model did not come to an end; its thread is given up and another one is started')
    void member.session.stop()
    this.#model.onStuck()
  }

  #replace(member: Member, message: string): void {
    if (!this.#remove(member) || this.#stopping.signal.aborted) return
    const { model, version } = this.#model
    this.#deps.log.error(message, { model, version })
    void this.#open(REOPEN_PAUSE_MS, false)
  }

  #remove(member: Member): boolean {
    if (!this.#members.delete(member)) return false
    this.#model.batcher.remove(member.executor)
    if (member.extra) this.#deps.pool.giveBack()
    return true
  }

  async #leave(member: Member): Promise<void> {
    if (!this.#remove(member)) return
    const thread = await member.session.close()
    if (thread) this.#deps.threads.give(thread)
  }

  #shrink(): void {
    const before = performance.now() - this.#deps.idleMs
    for (const member of this.#members) if (member.extra && member.usedMs < before && !member.session.busy) void this.#leave(member)
  }

  async #open(afterMs: number, extra: boolean): Promise<void> {
    const { model, version, artifact, intraOpThreads } = this.#model
    let joined = false
    let session: Session | null = null
    try {
      await pause(afterMs, undefined, { ref: false })
      if (this.#stopping.signal.aborted) return
      // Not the spare one: that waits for the next promotion.
      session = await openSession(await this.#deps.startThread(), artifact.files, intraOpThreads)
      await rehearse(session, artifact)
      joined = !this.#stopping.signal.aborted
      if (joined) this.#join(session, extra)
    } catch (error) {
      this.#notBeforeMs = performance.now() + GROW_PAUSE_MS
      this.#deps.log.warn('a further thread of a model could not be opened', { model, version, reason: messageOf(error) })
    } finally {
      if (!joined) await session?.stop()
      if (extra && !joined) this.#deps.pool.giveBack()
    }
  }
}
