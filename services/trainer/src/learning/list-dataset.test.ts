import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { datasetDigest } from './dataset-digest.ts'
import { listDataset, readLabels } from './list-dataset.ts'

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dataset-'))
})

afterEach(() => rm(root, { recursive: true }))

async function write(...ids: string[]): Promise<void> {
  for (const id of ids) {
    await mkdir(dirname(join(root, id)), { recursive: true })
    await writeFile(join(root, id), id)
  }
}

const whole = ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg', 'test/b/1.jpg']

test('files are listed by path, classes by name', async () => {
  await write(...whole, 'train/a/0.jpg')
  const listing = await listDataset(root)
  expect(listing.classes).toEqual(['a', 'b'])
  expect(listing.files.map(({ id }) => id)).toEqual(['test/b/1.jpg', 'train/a/0.jpg', 'train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg'])
})

test('links and hidden files are passed over', async () => {
  await write(...whole, 'train/a/.DS_Store')
  await symlink('/etc/hosts', join(root, 'train/a/link.jpg'))
  await symlink('/etc', join(root, 'train/linked'))
  const listing = await listDataset(root)
  expect(listing.classes).toEqual(['a', 'b'])
  expect(listing.files).toHaveLength(4)
})

test('a missing folder, a file in its place and missing splits are refused with the layout that is expected', async () => {
  await expect(listDataset(join(root, 'nowhere'))).rejects.toThrow('does not exist: expected train/<class>/*')
  await write('file')
  await expect(listDataset(join(root, 'file'))).rejects.toThrow('is not a folder')
  await expect(listDataset(root)).rejects.toThrow("no 'train', 'val', 'test' folder")
})

test('an empty split is refused', async () => {
  await write('train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg')
  await mkdir(join(root, 'test/a'), { recursive: true })
  await expect(listDataset(root)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining("'test' folder") })
})

test('one class only is refused', async () => {
  await write('train/a/1.jpg', 'val/a/1.jpg', 'test/a/1.jpg')
  await expect(listDataset(root)).rejects.toThrow("one class only ('a')")
})

test('a class without training images is refused', async () => {
  await write(...whole, 'test/c/1.jpg')
  await expect(listDataset(root)).rejects.toThrow("class 'c', which 'train' does not have")
})

test('labels come from labels.json; a class that it leaves out is its own label', async () => {
  await write(...whole)
  expect(await readLabels(await listDataset(root))).toEqual([
    { class: 'a', label: 'a' },
    { class: 'b', label: 'b' },
  ])
  await writeFile(join(root, 'labels.json'), '{"b": "Bream", "a": 3}')
  expect(await readLabels(await listDataset(root))).toEqual([
    { class: 'a', label: 'a' },
    { class: 'b', label: 'Bream' },
  ])
  await writeFile(join(root, 'labels.json'), '{')
  await expect(readLabels(await listDataset(root))).rejects.toThrow('is not JSON')
})

test('the digest changes with a byte and with a name, and with nothing else', async () => {
  await write(...whole)
  const first = await datasetDigest(await listDataset(root))
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(await datasetDigest(await listDataset(root))).toBe(first)
  await writeFile(join(root, 'train/a/1.jpg'), 'train/a/1.jpG')
  expect(await datasetDigest(await listDataset(root))).not.toBe(first)
  await writeFile(join(root, 'train/a/1.jpg'), 'train/a/1.jpg')
  expect(await datasetDigest(await listDataset(root))).toBe(first)
  await rm(join(root, 'train/a/1.jpg'))
  await write('train/a/2.jpg')
  expect(await datasetDigest(await listDataset(root))).not.toBe(first)
})
