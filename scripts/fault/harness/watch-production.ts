import { setTimeout as pause } from 'node:timers/promises'
import type { Evidence } from '../check/evidence.ts'
import { countProduction } from './collect.ts'
import type { Platform } from './platform.ts'

const EVERY_MS = 20

/** Looks fifty times a second at how many versions stand in Production, while the database answers; `stop` tells the most that was seen of each model. */
export function watchProduction({ database }: Platform): { stop(): Promise<Evidence['productionCounts']> } {
  const most = new Map<string, number>()
  let looks = 0
  let going = true
  const watching = (async () => {
    for (; going; await pause(EVERY_MS)) {
      const counts = await countProduction(database).catch(() => [])
      if (counts.length > 0) looks += 1
      for (const { model, count } of counts) most.set(model, Math.max(count, most.get(model) ?? 0))
    }
  })()
  return {
    async stop() {
      going = false
      await watching
      if (looks === 0) throw new Error('nobody looked at what is in Production')
      return [...most].map(([model, count]) => ({ model, count }))
    },
  }
}
