import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../testing/until.ts'
import { blobsContract, listAll, sha256Of } from './blobs.contract.ts'
import { explainDiskFault } from './disk-fault.ts'
import { createFolderBlobs } from './folder.ts'

async function temporaryFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-blobs-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

blobsContract(async () => createFolderBlobs({ root: await temporaryFolder() }))

test('a blob is a plain file under its digest', async () => {
  const root = await temporaryFolder()
  const { sha256 } = await (await createFolderBlobs({ root })).put(Buffer.from('pike'))
  expect(await readFile(join(root, 'sha256', sha256.slice(0, 2), sha256), 'utf8')).toBe('pike')
  expect(await readdir(join(root, 'tmp'))).toEqual([])
})

test('an upload that fails leaves no temporary file', async () => {
  const root = await temporaryFolder()
  const blobs = await createFolderBlobs({ root })
  await expect(blobs.put(Readable.from(['pike']), { maxBytes: 1 })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  expect(await readdir(join(root, 'tmp'))).toEqual([])
})

test('a link in the place of a blob is none, wherever it leads', async () => {
  const root = await temporaryFolder()
  const blobs = await createFolderBlobs({ root })
  const secret = join(await temporaryFolder(), 'secret')
  await writeFile(secret, 'secret')
  const { sha256 } = await blobs.put(Buffer.from('pike'))
  const path = join(root, 'sha256', sha256.slice(0, 2), sha256)
  await rm(path)
  await symlink(secret, path)
  await expect(blobs.open(sha256)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
  await expect(blobs.read(sha256, 100)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
  expect(await blobs.stat(sha256)).toBeNull()
  expect(await listAll(blobs)).toEqual([])
  await blobs.put(Buffer.from('pike'))
  expect((await blobs.read(sha256, 100)).toString()).toBe('pike')
  expect(await readFile(secret, 'utf8')).toBe('secret')
})

test('the store’s own limit holds where a call sets none', async () => {
  const blobs = await createFolderBlobs({ root: await temporaryFolder(), maxBytes: 3 })
  await expect(blobs.put(Buffer.from('pike'))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', message: expect.stringContaining('3 bytes') })
})

test('writing present bytes again renews their time, so that a collector spares them', async () => {
  const root = await temporaryFolder()
  const blobs = await createFolderBlobs({ root })
  const { sha256 } = await blobs.put(Buffer.from('pike'))
  await utimes(join(root, 'sha256', sha256.slice(0, 2), sha256), new Date(0), new Date(0))
  await blobs.put(Buffer.from('pike'))
  expect((await listAll(blobs))[0]?.writtenAt.getTime()).toBeGreaterThan(0)
})

test('a writer that is killed leaves nothing visible, and the next start removes its rest', async () => {
  const root = await temporaryFolder()
  const script = `
    import { Readable } from 'node:stream'
    import { createFolderBlobs } from ${JSON.stringify(new URL('./folder.ts', import.meta.url).href)}
    const blobs = await createFolderBlobs({ root: ${JSON.stringify(root)} })
    const endless = new Readable({ read() { setImmediate(() => this.push(Buffer.alloc(65536))) } })
    await blobs.put(endless)`
  const writer = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  await until(async () => (await readdir(join(root, 'tmp'))).length === 1)
  writer.kill('SIGKILL')
  await once(writer, 'exit')
  expect(await readdir(join(root, 'tmp'))).toHaveLength(1)
  const blobs = await createFolderBlobs({ root })
  expect(await listAll(blobs)).toEqual([])
  expect(await readdir(join(root, 'tmp'))).toEqual([])
})

test('a second store on the folder spares the uploads of the first', async () => {
  const root = await temporaryFolder()
  const first = await createFolderBlobs({ root })
  const gate = Promise.withResolvers<void>()
  async function* slowly() {
    yield Buffer.from('pi')
    await gate.promise
    yield Buffer.from('ke')
  }
  const upload = first.put(Readable.from(slowly()))
  await until(async () => (await readdir(join(root, 'tmp'))).length === 1)
  await createFolderBlobs({ root })
  gate.resolve()
  expect(await upload).toEqual({ sha256: sha256Of('pike'), sizeBytes: 4 })
})

test('a folder that cannot be written is one clear refusal', async () => {
  const root = await temporaryFolder()
  await writeFile(join(root, 'file'), 'x')
  await expect(createFolderBlobs({ root: join(root, 'file') })).rejects.toMatchObject({ code: 'STORAGE_FULL', message: expect.stringContaining('is a file') })
})

test.each([
  ['ENOSPC', 'no space left'],
  ['EDQUOT', 'quota'],
  ['EROFS', 'read-only'],
  ['EACCES', 'may not write'],
])('%s says what to do', (code, words) => {
  const explained = explainDiskFault('/data', Object.assign(new Error('write'), { code }))
  expect(explained).toMatchObject({ code: 'STORAGE_FULL', message: expect.stringMatching(`^Cannot store in /data: .*${words}`) })
})

test('a fault of the disk may pass, and a bug stays what it is', () => {
  expect(explainDiskFault('/data', Object.assign(new Error('read'), { code: 'EIO' }))).toMatchObject({ name: 'TransientError' })
  const bug = new TypeError('x')
  expect(explainDiskFault('/data', bug)).toBe(bug)
})
