import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { until } from '../testing/until.ts'
import { listAll } from './blobs.contract.ts'
import { freshBlobs, freshPlace, s3Address } from './s3.fixture.ts'
import { createS3Blobs, type S3BlobsOptions } from './s3.ts'

const MIB = 1024 ** 2
const large = randomBytes(12 * MIB)

/** A store behind a gate, and the same place past it. */
async function gated(options: Partial<S3BlobsOptions> = {}) {
  const direct = await freshBlobs()
  const { hostname, port } = new URL(s3Address.endpoint)
  const gate = await openTcpGate({ host: hostname, port: Number(port) })
  const behind = await createS3Blobs({ ...s3Address, prefix: direct.prefix, endpoint: throughGate(s3Address.endpoint, gate), partBytes: 5 * MIB, ...options })
  onTestFinished(async () => {
    await behind.stop()
    await gate.stop()
  })
  return { ...direct, gate, blobs: behind.value, direct: direct.blobs }
}

const expectTransient = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ name: 'TransientError' })

/** Content whose second half comes only after `meanwhile`. */
const interrupted = (meanwhile: () => Promise<unknown>) =>
  Readable.from(
    (async function* () {
      yield large.subarray(0, 11 * MIB)
      await meanwhile()
      yield large.subarray(11 * MIB)
    })(),
  )

describeWith('s3', () => {
  test('a store that is away: every call is transient, and works again when it is back', async () => {
    const { gate, blobs, direct } = await gated()
    const { sha256 } = await blobs.put(Buffer.from('pike'))
    await gate.shut()
    await expectTransient(blobs.put(Buffer.from('perch')))
    await expectTransient(blobs.put(large))
    await expectTransient(blobs.open(sha256))
    await expectTransient(blobs.read(sha256, 100))
    await expectTransient(blobs.stat(sha256))
    await expectTransient(blobs.remove(sha256))
    await expectTransient(listAll(blobs))
    await gate.heal()
    expect(String(await blobs.read(sha256, 100))).toBe('pike')
    expect(await listAll(direct)).toHaveLength(1)
    expect(gate.broken).toBeGreaterThan(0)
  })

  test('a store that goes away in the middle of an upload: nothing is visible, and the same bytes can be sent again', async () => {
    const { gate, blobs, direct, unfinished } = await gated()
    const upload = blobs.put(interrupted(() => until(async () => (await unfinished()) === 1).then(gate.shut)))
    await expectTransient(upload)
    expect(await listAll(direct)).toEqual([])
    await gate.heal()
    const { sha256 } = await blobs.put(large)
    expect((await direct.read(sha256, large.length)).equals(large)).toBe(true)
  })

  test('a download that is cut, or stands still, ends as transient instead of as a shorter blob', async () => {
    for (const fault of ['shut', 'swallow'] as const) {
      const { gate, blobs, direct } = await gated({ silenceMs: 1_000 })
      const { sha256 } = await direct.put(large)
      const stream = await blobs.open(sha256)
      await once(stream, 'readable')
      await gate[fault]()
      await expectTransient(buffer(stream))
    }
  })

  test('a store that takes a call and never answers is given up', async () => {
    const { gate, blobs } = await gated({ silenceMs: 1_000 })
    gate.swallow()
    await expectTransient(blobs.put(Buffer.from('pike')))
  })

  test('a reader that takes its time is not taken for a store that stands still', async () => {
    const { blobs, direct } = await gated({ silenceMs: 1_000 })
    const { sha256 } = await direct.put(large)
    const stream = await blobs.open(sha256)
    await once(stream, 'readable')
    const started = performance.now()
    await until(() => performance.now() - started > 2_500)
    expect((await buffer(stream)).equals(large)).toBe(true)
  })
})

/** Starts a process that uploads without end, waits until the store has the beginning, and kills it. */
async function killWriter({ prefix, unfinished }: ReturnType<typeof freshPlace>): Promise<void> {
  const script = `
    import { Readable } from 'node:stream'
    import { createS3Blobs } from ${JSON.stringify(new URL('./s3.ts', import.meta.url).href)}
    const { value: blobs } = await createS3Blobs({ ...JSON.parse(process.env.S3_ADDRESS), partBytes: 5 * 1024 ** 2 })
    const endless = new Readable({ read() { setTimeout(() => this.push(Buffer.alloc(65536)), 1) } })
    await blobs.put(endless)`
  const env = { ...process.env, S3_ADDRESS: JSON.stringify({ ...s3Address, prefix }) }
  const writer = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore', env })
  await until(async () => (await unfinished()) === 1)
  writer.kill('SIGKILL')
  await once(writer, 'exit')
}

describeWith('s3', () => {
  test('a writer that is killed leaves nothing visible; a start removes its rest once it is old enough', async () => {
    const place = freshPlace()
    await killWriter(place)
    const start = async (unfinishedAfterMs: number) => {
      const { value, stop } = await createS3Blobs({ ...s3Address, prefix: place.prefix, unfinishedAfterMs })
      onTestFinished(stop)
      return value
    }
    expect(await listAll(await start(3_600_000))).toEqual([])
    expect(await place.unfinished()).toBe(1)
    await start(-2_000)
    expect([await place.unfinished(), await place.keys()]).toEqual([0, []])
  })
})
