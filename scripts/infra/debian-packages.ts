import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { commandExists, runCommand } from './run-command.ts'
import { isRoot } from './unprivileged.ts'

const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs a Debian package that is missing, without starting the service that it brings along: Millrace starts a server of its own.
 * @throws Error that says what to install where this program may not
 */
export async function installPackage(name: string, why: string): Promise<void> {
  if (!isRoot() || !commandExists('apt-get')) throw new Error(`${why} is missing: install it (on Debian: apt-get install ${name}) and try again`)
  process.stderr.write(`Installing ${name} ...\n`)
  const guarded = existsSync(POLICY)
  if (!guarded) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await runCommand('apt-get', ['update', '-q'], { env })
    await runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], { env })
  } finally {
    if (!guarded) rmSync(POLICY, { force: true })
  }
}

/** Makes sure that a command is there. */
export async function needCommand(command: string, packageName: string): Promise<void> {
  if (!commandExists(command)) await installPackage(packageName, `the command ${command}`)
}
