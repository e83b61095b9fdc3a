import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { needCommand } from '../debian-packages.ts'
import { runCommand } from '../run-command.ts'

const source = import.meta.dirname
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** File name to digest, as `sha256sum` writes them. */
function expectedJars(): ReadonlyMap<string, string> {
  const lines = readFileSync(join(source, 'jars.sha256'), 'utf8').trim().split('\n')
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
}

/** The first jar that is missing or differs. */
function firstWrong(directory: string): string | null {
  for (const [name, digest] of expectedJars()) {
    const path = join(directory, name)
    if (!existsSync(path) || sha256(readFileSync(path)) !== digest) return name
  }
  return null
}

/**
 * The broker's jars: resolved by Maven from the pinned pom, once per machine, each checked against jars.sha256 at every start.
 * @throws Error when a jar is not what it must be
 */
export async function kafkaJars(cache: string): Promise<string> {
  const directory = join(cache, 'kafka', sha256(readFileSync(join(source, 'jars.sha256'))).slice(0, 16))
  if (!existsSync(directory)) await download(directory)
  const wrong = firstWrong(directory)
  if (wrong) throw new Error(`${wrong} in ${directory} is not what jars.sha256 says: remove that folder and try again`)
  return directory
}

async function download(directory: string): Promise<void> {
  await needCommand('mvn', 'maven')
  process.stderr.write('Fetching Kafka (once, 44 MB) ...\n')
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const args = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`]
  await runCommand('mvn', ['-q', '-B', '--strict-checksums', '-f', join(source, 'pom.xml'), ...args])
  renameSync(partial, directory)
}
