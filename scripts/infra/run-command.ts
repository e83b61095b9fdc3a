import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'

interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a command to its end and resolves with its standard output. @throws Error with the command's own last words */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(command, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`${command} could not be run: ${cause.message}`, { cause })))
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  const [status, said, complained] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (status === 0) return said
  throw new Error(`${command} ended with ${status}:\n${`${said}\n${complained}`.trim().split('\n').slice(-20).join('\n')}`)
}

export function commandExists(command: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', command]).status === 0
}
