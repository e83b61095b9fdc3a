import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = join(import.meta.dirname, '..', '..')
const panel = z.looseObject({
  id: z.int(),
  title: z.string().min(1),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(z.looseObject({ expr: z.string().min(1), refId: z.string() })).min(1),
})
const { panels } = z
  .looseObject({ uid: z.literal('millrace'), panels: z.array(panel) })
  .parse(JSON.parse(readFileSync(join(root, 'observability/grafana/dashboards/millrace.json'), 'utf8')))

/** Names of all instruments, as they stand in the sources. */
function instrumentNames(): Map<string, string> {
  const files = ['platform/src', 'services'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('node_modules'))
      .map((name) => join(root, folder, name)),
  )
  const found = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\.?(counter|gauge|histogram)\(\s*'([a-z0-9_]+)'/g)])
  return new Map(found.map(([, kind = '', name = '']) => [`millrace_${name}`, kind]))
}

const expressions = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))

test('every metric of the dashboard is one that a service makes', () => {
  const known = instrumentNames()
  const used = new Set(expressions.flatMap(({ expr }) => expr.match(/millrace_[a-z0-9_]+/g) ?? []))
  expect(used.size).toBeGreaterThan(8)
  for (const name of used) {
    const base = known.get(name) === undefined ? name.replace(/_(bucket|sum|count)$/, '') : name
    expect([name, known.has(base)]).toEqual([name, true])
    expect([name, name.endsWith('_bucket')]).toEqual([name, known.get(base) === 'histogram'])
  }
})

test('rates are taken of counters and buckets only, and quantiles keep their buckets', () => {
  const known = instrumentNames()
  for (const { title, expr } of expressions) {
    for (const [, name = ''] of expr.matchAll(/(?:rate|increase)\((millrace_[a-z0-9_]+)/g))
      expect([title, known.get(name) === 'counter' || name.endsWith('_bucket')]).toEqual([title, true])
    if (expr.includes('histogram_quantile')) expect([title, /by \([^)]*\ble\b/.test(expr)]).toEqual([title, true])
  }
})

test('no two panels share an id or a place, and none is wider than the dashboard', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  for (const { gridPos: place } of panels) expect(place.x + place.w).toBeLessThanOrEqual(24)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`))
  expect(new Set(cells).size).toBe(cells.length)
})
