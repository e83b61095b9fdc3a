import { randomBytes, randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { freshPlace, s3Address } from './s3.fixture.ts'
import { createS3External } from './s3-external.ts'

const { bucket, ...connection } = s3Address

/** A reader of one fresh folder, and a way to write into it. */
function freshReader(own: Partial<typeof connection> = {}) {
  const place = freshPlace()
  const root = { bucket, key: place.prefix.slice(0, -1) }
  const { value: external, stop } = createS3External({ ...connection, ...own, roots: [root, { bucket: 'no-such-bucket-here', key: '' }] })
  onTestFinished(stop)
  const at = (path: string) => ({ bucket, key: `${root.key}/${path}` })
  return { ...place, external, root, at }
}

describeWith('s3', () => {
  test('a folder shows what lies directly in it, and not what lies beside it', async () => {
    const { external, write, at } = freshReader()
    for (const path of ['run/model/MLmodel', 'run/model/data/a b+c%20ü.onnx', 'run/model2/x', 'run/top']) await write(path, path)
    expect(await external.list(at('run'))).toEqual({ folders: ['model', 'model2'], files: [{ name: 'top', sizeBytes: 7 }], nextPageToken: null })
    expect((await external.list(at('run/model/data'))).files).toEqual([{ name: 'a b+c%20ü.onnx', sizeBytes: 30 }])
    expect(await external.list(at('nothing'))).toEqual({ folders: [], files: [], nextPageToken: null })
    expect((await external.tree(at('run/model'), 10)).map((file) => file.place)).toEqual([at('run/model/MLmodel'), at('run/model/data/a b+c%20ü.onnx')])
    expect(await external.tree(at('run'), 2)).toHaveLength(2)
    expect(await external.tree(at('run/top'), 10)).toMatchObject([{ place: at('run/top'), sizeBytes: 7 }])
    expect(await external.tree(at('run/to'), 10)).toEqual([])
  })

  test('more than a page is listed page by page, and a tree over all of them', async () => {
    const { external, write, at } = freshReader()
    const names = Array.from({ length: 1003 }, (_, index) => `many/${String(index).padStart(4, '0')}`)
    for (let start = 0; start < names.length; start += 50) await Promise.all(names.slice(start, start + 50).map((name) => write(name, 'x')))
    const first = await external.list(at('many'))
    expect(first.files).toHaveLength(1000)
    const second = await external.list(at('many'), first.nextPageToken ?? '')
    expect(second.files.map((file) => file.name)).toEqual(['1000', '1001', '1002'])
    expect(second.nextPageToken).toBeNull()
    expect(await external.tree(at('many'), 5000)).toHaveLength(1003)
    expect(await external.tree(at('many'), 1001)).toHaveLength(1001)
  })

  test('a file is streamed whole, by its etag or not at all', async () => {
    const { external, write, at } = freshReader()
    const content = randomBytes(9_000_000)
    await write('model.onnx', content)
    const [file] = await external.tree(at('model.onnx'), 1)
    const opened = await external.open(at('model.onnx'), file?.etag)
    expect(opened.sizeBytes).toBe(content.length)
    expect((await buffer(opened.content)).equals(content)).toBe(true)
    await write('model.onnx', 'other')
    await expect(external.open(at('model.onnx'), file?.etag)).rejects.toMatchObject({ name: 'TransientError', message: expect.stringMatching(/was replaced/) })
    await expect(external.open(at('nothing'))).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
  })

  test('nothing outside of the roots is asked for', async () => {
    const { external, root, at } = freshReader()
    const outside = [{ bucket: 'foreign', key: root.key }, { bucket, key: '' }, { bucket, key: `${root.key}x` }, at('../x'), at('a/../../../x')]
    for (const place of outside) {
      const refusal = { code: 'INVALID_PARAMETER_VALUE' }
      await expect(external.list(place)).rejects.toMatchObject(refusal)
      await expect(external.tree(place, 1)).rejects.toMatchObject(refusal)
      await expect(external.open(place)).rejects.toMatchObject(refusal)
    }
  })

  test('a bucket that is not there is missing, a store that is away may come back', async () => {
    const { hostname, port } = new URL(s3Address.endpoint)
    const gate = await openTcpGate({ host: hostname, port: Number(port) })
    onTestFinished(() => gate.stop())
    const { external, write, at } = freshReader({ endpoint: throughGate(s3Address.endpoint, gate) })
    await expect(external.list({ bucket: 'no-such-bucket-here', key: randomUUID() })).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
    await write('a', 'x')
    await gate.shut()
    const away = { name: 'TransientError' }
    await expect(external.list(at('folder'))).rejects.toMatchObject(away)
    await expect(external.tree(at('a'), 1)).rejects.toMatchObject(away)
    await expect(external.open(at('a'))).rejects.toMatchObject(away)
    await gate.heal()
    expect(String(await buffer((await external.open(at('a'))).content))).toBe('x')
  })
})
