import { readFileSync } from 'node:fs'
import { createExperiment, createRun } from './logging.ts'
import type { Target } from './target.ts'

const CHUNK = 1 << 20

export interface ArtifactFigures {
  /** MiB per second. */
  readonly upload: number
  readonly download: number
  /** How far the process grew beyond what it took before, in MiB. */
  readonly grewMib: number
}

async function* content(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(CHUNK)
  for (let sent = 0; sent < bytes; sent += CHUNK) {
    chunk.writeUInt32LE(sent / CHUNK, 0)
    yield Buffer.from(chunk)
  }
}

/** Resident memory now, and the highest that it ever was, in MiB. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

/** One file up and down again through the artifact proxy. */
export async function measureArtifacts(target: Target, pid: number, bytes: number): Promise<ArtifactFigures> {
  const experimentId = await createExperiment(target, 'artifacts')
  const path = `/api/2.0/mlflow-artifacts/artifacts/${experimentId}/${await createRun(target, experimentId)}/artifacts/big.bin`
  const before = memoryOf(pid)
  const begun = performance.now()
  const put = await target.request({ method: 'PUT', path, body: content(bytes) })
  await put.body.dump()
  const uploaded = performance.now()
  const got = await target.request({ method: 'GET', path })
  let received = 0
  for await (const chunk of got.body) received += chunk.length
  if (put.statusCode !== 200 || received !== bytes)
    throw new Error(`an artifact of ${bytes} bytes: PUT answered ${put.statusCode}, ${received} bytes came back`)
  const mib = bytes / 2 ** 20
  const upload = mib / ((uploaded - begun) / 1000)
  return { upload, download: mib / ((performance.now() - uploaded) / 1000), grewMib: memoryOf(pid).peak - Math.max(before.now, before.peak) }
}
