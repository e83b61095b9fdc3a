import sharp from 'sharp'
import { expect, test } from 'vitest'
import { drawFish } from './draw-fish.ts'
import { speciesCatalogue } from './species.ts'

interface Row {
  readonly colour: readonly number[]
  readonly target: number
}

const PER_CLASS = 40
const CLASSES = speciesCatalogue.length

async function row(target: number, index: number): Promise<Row> {
  const jpeg = await drawFish({ species: speciesCatalogue[target]?.id ?? '', seed: 1, light: 'daylight', index })
  const { channels } = await sharp(jpeg).stats()
  return { colour: channels.slice(0, 3).map(({ mean }) => mean / 255), target }
}

async function draw(): Promise<{ train: Row[]; test: Row[] }> {
  const rows: Row[] = []
  for (let index = 0; index < PER_CLASS; index++) rows.push(...(await Promise.all(speciesCatalogue.map((_, target) => row(target, index)))))
  return { train: rows.filter((_, i) => Math.floor(i / CLASSES) % 5 !== 4), test: rows.filter((_, i) => Math.floor(i / CLASSES) % 5 === 4) }
}

const accuracy = (rows: readonly Row[], predict: (colour: readonly number[]) => number): number =>
  rows.filter(({ colour, target }) => predict(colour) === target).length / rows.length

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values))

/** Majority among the k nearest rows. */
function nearest(train: readonly Row[], k: number): (colour: readonly number[]) => number {
  return (colour) => {
    const distance = (other: readonly number[]) => other.reduce((sum, value, i) => sum + (value - (colour[i] ?? 0)) ** 2, 0)
    const votes = new Array<number>(CLASSES).fill(0)
    for (const { target } of train.toSorted((a, b) => distance(a.colour) - distance(b.colour)).slice(0, k)) votes[target] = (votes[target] ?? 0) + 1
    return largest(votes)
  }
}

/** The three averages, their squares and products: a quadratic boundary is within reach. */
function expand(colour: readonly number[]): number[] {
  const [r = 0, g = 0, b = 0] = colour.map((value) => (value - 0.42) * 5)
  return [1, r, g, b, r * r, g * g, b * b, r * g, g * b, r * b]
}

/** Multinomial logistic regression by gradient descent. */
function logistic(train: readonly Row[]): (colour: readonly number[]) => number {
  const rows = train.map(({ colour, target }) => ({ features: expand(colour), target }))
  const weights = Array.from({ length: CLASSES }, () => new Array<number>(10).fill(0))
  const scores = (features: readonly number[]) => weights.map((line) => line.reduce((sum, weight, i) => sum + weight * (features[i] ?? 0), 0))
  for (let step = 0; step < 150; step++) {
    for (const { features, target } of rows) {
      const raised = scores(features).map(Math.exp)
      const total = raised.reduce((sum, value) => sum + value, 0)
      for (const [c, line] of weights.entries()) {
        const slope = ((raised[c] ?? 0) / total - (c === target ? 1 : 0)) * 0.01
        for (let i = 0; i < 10; i++) line[i] = (line[i] ?? 0) - slope * (features[i] ?? 0)
      }
    }
  }
  return (colour) => largest(scores(expand(colour)))
}

test('colour averages alone do not name the fish: under 60 % for nearest neighbours and for logistic regression', async () => {
  const { train, test: held } = await draw()
  for (const k of [1, 5, 15]) expect(accuracy(held, nearest(train, k))).toBeLessThan(0.6)
  expect(accuracy(held, logistic(train))).toBeLessThan(0.6)
})

test('the two classifiers are no strawmen: colours that do tell classes apart are told apart', () => {
  const rows = Array.from(
    { length: 150 },
    (_, i): Row => ({ target: i % CLASSES, colour: [0.3 + (i % 5) * 0.06, 0.3 + Math.floor((i % CLASSES) / 5) * 0.12, 0.4 + i / 1e4] }),
  )
  expect(accuracy(rows, nearest(rows, 5))).toBeGreaterThan(0.9)
  expect(accuracy(rows, logistic(rows))).toBeGreaterThan(0.8)
})
