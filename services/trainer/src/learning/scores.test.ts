import fc from 'fast-check'
import { expect, test } from 'vitest'
import { confusionCsv, confusionSvg } from './confusion-picture.ts'
import { confusionOf, recallOf, scoreOf, topOf } from './scores.ts'

const probabilities = Float32Array.of(0.7, 0.2, 0.1, 0.1, 0.3, 0.6)

test('accuracy counts rows whose largest probability is the right class, loss is mean cross-entropy', () => {
  const { accuracy, loss } = scoreOf(probabilities, [0, 1], 3)
  expect(accuracy).toBe(0.5)
  expect(loss).toBeCloseTo(-(Math.log(0.7) + Math.log(0.3)) / 2, 6)
  expect(topOf(probabilities, 1, 3)).toEqual({ index: 2, probability: Math.fround(0.6) })
})

test('a probability of zero costs much, not infinitely much', () => {
  expect(scoreOf(Float32Array.of(0, 1), [0], 2).loss).toBeCloseTo(-Math.log(1e-7), 6)
})

test('recall is the share of a row of the confusion matrix, null without rows', () => {
  const confusion = confusionOf([0, 0, 0, 1], [0, 0, 1, 1], 3)
  expect(confusion).toEqual([
    [2, 1, 0],
    [0, 1, 0],
    [0, 0, 0],
  ])
  expect(recallOf(confusion)).toEqual([2 / 3, 1, null])
})

test('the confusion matrix counts every row once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4))), (pairs) => {
      const confusion = confusionOf(
        pairs.map(([actual]) => actual),
        pairs.map(([, predicted]) => predicted),
        5,
      )
      expect(confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(pairs.length)
    }),
  )
})

test('the CSV names rows and columns and quotes what needs it', () => {
  expect(
    confusionCsv(
      ['a', 'b,"c"'],
      [
        [1, 0],
        [2, 3],
      ],
    ),
  ).toBe('actual,a,"b,""c"""\na,1,0\n"b,""c""",2,3\n')
})

test('class names never reach the picture as markup', () => {
  const svg = confusionSvg(
    ['<script>alert(1)</script>', 'b'],
    [
      [1, 0],
      [0, 1],
    ],
  )
  expect(svg).not.toContain('<script')
})
