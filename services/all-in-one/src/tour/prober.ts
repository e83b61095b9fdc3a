import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@millrace/platform/errors.ts'
import type { UserClient } from '../user/user-client.ts'

/** Keeps asking for predictions in the background and remembers every failure and when each version first answered. */
export interface Prober {
  readonly answers: number
  readonly failures: readonly string[]
  /** When `version` first answered a request that was sent at or after `since`; null while it has not. */
  firstAnswer(version: string, since: Date): Date | null
  stop(): Promise<void>
}

interface Answer {
  readonly version: string
  readonly sentAt: number
  readonly answeredAt: number
}

const PAUSE_MS = 10
/** Answers that are kept: some minutes' worth. */
const KEPT = 20_000

export function startProber(client: UserClient, model: string, images: readonly Uint8Array<ArrayBuffer>[]): Prober {
  const answers: Answer[] = []
  const failures: string[] = []
  const stopping = new AbortController()
  let sent = 0

  const ask = async (): Promise<void> => {
    const sentAt = Date.now()
    const image = images[sent++ % images.length]
    if (!image) return
    try {
      const { model_version: version } = await client.predict(image, model)
      answers.push({ version, sentAt, answeredAt: Date.now() })
      if (answers.length > KEPT) answers.shift()
    } catch (error) {
      failures.push(messageOf(error))
    }
  }
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ask()
      await sleep(PAUSE_MS)
    }
  }
  const loops = [loop(), loop()]

  return {
    get answers() {
      return answers.length
    },
    failures,
    firstAnswer(version, since) {
      const first = answers.find((answer) => answer.version === version && answer.answeredAt >= since.getTime())
      return first ? new Date(first.answeredAt) : null
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}
