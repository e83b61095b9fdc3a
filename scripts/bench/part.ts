import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Started } from '@millrace/platform/component.ts'
import { z } from 'zod'

const message = z.object({ id: z.number(), result: z.unknown().optional(), error: z.string().optional() })

/** A program of the benchmark in a process of its own, so that measuring does not slow down what is measured. */
export interface Part {
  /** @throws Error with what the part said, or that it ended */
  ask<Answer>(command: string, answer: z.ZodType<Answer>, input?: unknown): Promise<Answer>
}

/** Starts one of the `*-part.ts`; resolves when it listens. */
export async function startPart(file: string, env: NodeJS.ProcessEnv): Promise<Started<Part>> {
  const child = fork(join(import.meta.dirname, file), { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let next = 1
  const begun = Promise.withResolvers<unknown>()
  waiting.set(0, begun)
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended: see above`))
    waiting.clear()
  })
  child.on('message', (raw) => {
    const { id, result, error } = message.parse(raw)
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(`${file}: ${error}`))
  })
  await begun.promise
  return {
    value: {
      async ask(command, answer, input) {
        const asked = Promise.withResolvers<unknown>()
        const id = next++
        waiting.set(id, asked)
        child.send({ id, command, input })
        return answer.parse(await asked.promise)
      },
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
