import { openSync } from 'node:fs'

/** Places at which a fault test may end the process as a power failure would: no handler runs, nothing is flushed. */
export type CrashPoint = 'after_db_commit' | 'after_send' | 'after_effect_before_commit' | 'mid_artifact_write' | 'mid_reload'

const { CRASH_AT: chosen, CRASH_ONCE_FILE: onceFile } = process.env

/**
 * Kills this process with SIGKILL where the environment's CRASH_AT names the point, and does nothing otherwise. With CRASH_ONCE_FILE only where that file does
 * not exist yet; it is made first, so that the process that is started in its place goes on, and so that a test can see that the point was passed.
 */
export function crashPoint(name: CrashPoint): void {
  if (chosen !== name || (onceFile && !claimed(onceFile))) return
  process.kill(process.pid, 'SIGKILL')
}

function claimed(path: string): boolean {
  try {
    openSync(path, 'wx')
    return true
  } catch {
    return false
  }
}
