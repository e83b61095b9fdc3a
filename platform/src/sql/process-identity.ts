import { readFileSync } from 'node:fs'

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && Reflect.get(error, 'code') === 'EPERM'
  }
}

/**
 * Tells a living process from a later one with the same number: boot id and start time (proc(5), field 22 of `stat`). Null for a process that is dead or
 * a zombie. Where there is no /proc, `alive` for any process with that number.
 */
export function processIdentity(pid: number): string | null {
  const boot = read('/proc/sys/kernel/random/boot_id')
  if (boot === null) return answersSignals(pid) ? 'alive' : null
  // The command name, in brackets, may hold blanks: fields are counted after its end.
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return null
  return `${boot}:${fields[19] ?? ''}`
}
