import { cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryGib: number
  readonly system: string
  readonly node: string
  /** Processes that ran or waited on average in the minute before the start. */
  readonly load: number
}

export function describeMachine(): Machine {
  const cores = cpus()
  return {
    cores: cores.length,
    model: cores[0]?.model.trim() ?? 'unknown',
    memoryGib: totalmem() / 2 ** 30,
    system: `${type()} ${release().replace(/-.*$/, '')}`,
    node: process.versions.node,
    load: loadavg()[0] ?? 0,
  }
}
