import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

/** The code that a run was made with. Null where it cannot be told, such as outside a checkout. */
export interface CodeState {
  readonly repository: string | null
  readonly commit: string | null
  readonly branch: string | null
  readonly dirty: boolean | null
  /** sha256 of the difference to the commit, where there is one. */
  readonly patchSha256: string | null
  readonly lockfileSha256: string | null
  readonly packages: Readonly<Record<string, string>>
}

/** The packages that what is learned depends on. */
const RECORDED = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-wasm', 'onnxruntime-node', 'sharp']
const run = promisify(execFile)
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Reads it once: the code of a running process does not change. */
export function createCodeReader(start: string = dirname(fileURLToPath(import.meta.url))): () => Promise<CodeState> {
  let state: Promise<CodeState> | null = null
  return () => {
    state ??= readCode(start)
    return state
  }
}

async function readCode(start: string): Promise<CodeState> {
  const lockfile = await findLockfile(start)
  const commit = await git(start, 'rev-parse', 'HEAD')
  const changes = commit === null ? null : await git(start, 'status', '--porcelain', '--untracked-files=no')
  const patch = changes ? await git(start, 'diff', 'HEAD') : null
  return {
    repository: withoutCredentials(await git(start, 'remote', 'get-url', 'origin')),
    commit,
    branch: commit === null ? null : await git(start, 'rev-parse', '--abbrev-ref', 'HEAD'),
    dirty: changes === null ? null : changes !== '',
    patchSha256: patch === null ? null : sha256(patch),
    lockfileSha256: lockfile && sha256(lockfile),
    packages: lockfile ? packagesOf(lockfile) : {},
  }
}

async function git(folder: string, ...args: string[]): Promise<string | null> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const answer = await run('git', ['-C', folder, ...args], { env, timeout: 10_000, maxBuffer: 67_108_864 }).catch(() => null)
  return answer?.stdout.trim() ?? null
}

/** A remote's address may carry a password; a run must not. */
function withoutCredentials(remote: string | null): string | null {
  return remote?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1') ?? null
}

async function findLockfile(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => null)
  const parent = dirname(folder)
  return text ?? (parent === folder ? null : findLockfile(parent))
}

const lockfileShape = z.looseObject({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })

function packagesOf(lockfile: string): Record<string, string> {
  const parsed = lockfileShape.safeParse(JSON.parse(lockfile))
  if (!parsed.success) return {}
  return Object.fromEntries(RECORDED.flatMap((name) => [[name, parsed.data.packages[`node_modules/${name}`]?.version ?? 'not locked'] as const]))
}
