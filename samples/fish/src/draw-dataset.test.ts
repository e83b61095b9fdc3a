import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, expect, test } from 'vitest'
import type { Light } from './camera.ts'
import { drawDataset } from './draw-dataset.ts'
import { drawFish } from './draw-fish.ts'
import { speciesCatalogue } from './species.ts'

const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'fish-'))
  folders.push(made)
  return made
}

afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true })
})

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('the catalogue has the fifteen species, each with a label', () => {
  expect(speciesCatalogue.map(({ id }) => id)).toEqual([
    'abramis_brama',
    'alburnus_alburnus',
    'blicca_bjoerkna',
    'carassius_gibelio',
    'cyprinus_carpio',
    'esox_lucius',
    'gobio_gobio',
    'gymnocephalus_cernua',
    'leuciscus_idus',
    'perca_fluviatilis',
    'rutilus_rutilus',
    'sander_lucioperca',
    'scardinius_erythrophthalmus',
    'silurus_glanis',
    'tinca_tinca',
  ])
  expect(speciesCatalogue.find(({ id }) => id === 'esox_lucius')?.label).toBe('Northern pike (Esox lucius)')
})

test('every ten pictures of a class split eight, one, one, and labels.json names the classes', async () => {
  const root = await folder()
  expect(await drawDataset({ root, seed: 3, light: 'daylight', imagesPerClass: 10 })).toEqual({ classes: 15, train: 120, val: 15, test: 15 })
  expect(await readdir(join(root, 'train', 'tinca_tinca'))).toHaveLength(8)
  expect(await readdir(join(root, 'test', 'tinca_tinca'))).toEqual(['daylight-3-0009.jpg'])
  const labels: unknown = JSON.parse(await readFile(join(root, 'labels.json'), 'utf8'))
  expect(labels).toMatchObject({ tinca_tinca: 'Tench (Tinca tinca)' })
})

test('pictures of another light are added to a data set beside those that are there', async () => {
  const root = await folder()
  await drawDataset({ root, seed: 1, light: 'daylight', imagesPerClass: 1 })
  await drawDataset({ root, seed: 1, light: 'underwater', imagesPerClass: 1 })
  expect(await readdir(join(root, 'train', 'esox_lucius'))).toEqual(['daylight-1-0000.jpg', 'underwater-1-0000.jpg'])
})

test('the same seed draws the same bytes, another seed or number another fish', async () => {
  const fish = { species: 'perca_fluviatilis', seed: 5, light: 'daylight', index: 2 } as const
  const first = digest(await drawFish(fish))
  expect(digest(await drawFish(fish))).toBe(first)
  expect(digest(await drawFish({ ...fish, seed: 6 }))).not.toBe(first)
  expect(digest(await drawFish({ ...fish, index: 3 }))).not.toBe(first)
})

test('an unknown species and a senseless number are refused', async () => {
  await expect(drawFish({ species: 'salmo_salar', seed: 1, light: 'daylight' })).rejects.toThrow("no species 'salmo_salar'")
  await expect(drawDataset({ root: '/nowhere', seed: 1, light: 'daylight', imagesPerClass: 0 })).rejects.toThrow('at least 1')
})

/** Mean of each channel over the picture. */
async function means(light: Light, species: string, index: number): Promise<number[]> {
  const { channels } = await sharp(await drawFish({ species, seed: 11, light, index })).stats()
  return channels.slice(0, 3).map(({ mean }) => mean)
}

test('under water there is less red and less contrast than in daylight', async () => {
  const contrast = async (light: Light) =>
    (
      await sharp(await drawFish({ species: 'tinca_tinca', seed: 2, light }))
        .greyscale()
        .stats()
    ).channels[0]?.stdev ?? 0
  for (let index = 0; index < 5; index++) {
    const [red = 0, green = 0, blue = 0] = await means('underwater', 'rutilus_rutilus', index)
    expect(red).toBeLessThan(Math.min(green, blue))
  }
  expect(await contrast('underwater')).toBeLessThan(await contrast('daylight'))
})
