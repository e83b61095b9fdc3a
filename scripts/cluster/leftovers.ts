import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { processIdentity } from '@millrace/platform/sql/process-identity.ts'

/** Which processes a cluster has started, by name: with what tells each from a later one with the same number. */
type Known = Record<string, { readonly pid: number; readonly identity: string | null }>

/** Remembers on disk what runs, so that the next start can end what a killed supervisor left behind. */
export interface ProcessList {
  add(name: string, pid: number): void
  clear(): void
  /** Ends those that still run; answers their names. */
  endLeftovers(): Promise<string[]>
}

export function openProcessList(path: string): ProcessList {
  const known: Known = {}
  return {
    add(name, pid) {
      known[name] = { pid, identity: processIdentity(pid) }
      writeFileSync(`${path}.new`, JSON.stringify(known))
      renameSync(`${path}.new`, path)
    },
    clear: () => rmSync(path, { force: true }),
    async endLeftovers() {
      const old: Known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
      const alive = Object.entries(old).filter(([, { pid, identity }]) => identity !== null && processIdentity(pid) === identity)
      for (const [, { pid }] of alive) process.kill(pid, 'SIGKILL')
      while (alive.some(([, { pid, identity }]) => processIdentity(pid) === identity)) await pause(20)
      rmSync(path, { force: true })
      return alive.map(([name]) => name)
    },
  }
}
