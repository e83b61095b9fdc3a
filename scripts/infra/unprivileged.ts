import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { commandExists, runCommand } from './run-command.ts'

export const isRoot = (): boolean => process.getuid?.() === 0

/** A command and its arguments, run as `user` where this program is root: there are servers that refuse to run as root. */
export function asUser(user: string, command: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...args] = command
  if (!isRoot()) return [program, ...args]
  if (commandExists('setpriv')) return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--', program, ...args]
  return ['su', '-s', '/bin/sh', user, '-c', 'exec "$0" "$@"', '--', program, ...args]
}

/**
 * A folder that `user` may enter and write: `wanted`, or one below /var/tmp where a parent of it is closed to that user, as root's home is.
 */
export async function folderFor(user: string, wanted: string): Promise<string> {
  const open = await prepare(user, wanted)
  if (open) return wanted
  const other = join('/var/tmp', `millrace-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`)
  if (!(await prepare(user, other)))
    throw new Error(`${user} can enter neither ${wanted} nor ${other}: set MILLRACE_INFRA_DIR to a folder that everyone may enter`)
  return other
}

async function prepare(user: string, directory: string): Promise<boolean> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (!isRoot()) return true
  await runCommand('chown', [`${user}:`, directory])
  const [program, ...args] = asUser(user, ['test', '-w', directory])
  try {
    await runCommand(program, args)
    return true
  } catch {
    return false
  }
}
