import { z } from 'zod'
import type { Part } from '../part.ts'
import type { Question } from './peers.ts'
import type { Usage } from './server-process.ts'

export const concurrencies = [1, 32, 128] as const

const result = z.object({ answers: z.number(), failures: z.number(), seconds: z.number(), p50: z.number(), p99: z.number() })
export type LoopFigures = z.infer<typeof result>

/** One server with one model under one number of connections. */
export interface Cell extends LoopFigures {
  readonly connections: number
  readonly perSecond: number
  /** Of the server's processes, for one request. */
  readonly cpuMs: number
}

export interface Row {
  readonly server: string
  readonly cells: readonly Cell[]
  /** Of the server's processes, after the load. */
  readonly residentMib: number
}

export interface Loaded {
  readonly server: string
  readonly question: Question
  readonly usage: () => Usage
}

/** Closed loops, from few connections to many, each after a second of warm-up. */
export async function measureRow(load: Part, { server, question, usage }: Loaded, forMs: number): Promise<Row> {
  const cells: Cell[] = []
  for (const connections of concurrencies) {
    await load.ask('load', result, { ...question, connections, forMs: 1000 })
    const before = usage()
    const measured = await load.ask('load', result, { ...question, connections, forMs })
    const cpuMs = (usage().cpuMs - before.cpuMs) / Math.max(1, measured.answers)
    cells.push({ ...measured, connections, cpuMs, perSecond: measured.answers / measured.seconds })
  }
  return { server, cells, residentMib: usage().residentMib }
}

export const measureOpen = (load: Part, question: Question, perSecond: number, forMs: number): Promise<LoopFigures> =>
  load.ask('open', result, { ...question, perSecond, forMs })
