import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Log } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import type { AuditEntry } from './audit/audit-store.ts'
import { findTarget } from './domain/route-table.ts'
import type { Seen } from './handle-request.ts'
import { createObserve } from './observe.ts'

function observing(logPercent: number) {
  const lines: Record<string, unknown>[] = []
  const noted: Omit<AuditEntry, 'at'>[] = []
  const silent = (): void => undefined
  const log: Log = { debug: silent, info: (_message, fields) => lines.push({ ...fields }), warn: silent, error: silent, child: () => log }
  const audit = { note: (entry: Omit<AuditEntry, 'at'>) => noted.push(entry), jobs: [], flush: async () => undefined }
  const observe = createObserve({ log, metrics: createMetrics('gateway'), audit, logPercent })
  return { lines, noted, observe }
}

function seenOf(method: string, url: string, status: number): Seen {
  const request = Object.assign(new IncomingMessage(new Socket()), { method, url })
  const response = Object.defineProperty(new ServerResponse(request), 'writableFinished', { value: true })
  response.statusCode = status
  const path = url.split('?')[0] ?? ''
  const caller = { user: 'ana', role: 'editor', quota: 'ana' } as const
  return { ...{ request, response, requestId: 'r-1', path, target: findTarget(path), address: '10.0.0.1' }, begunMs: 0, trace: null, caller, model: 'fish' }
}

test('one in so many predictions that succeed is logged, evenly, with what it was and never with what it held', () => {
  const { lines, observe } = observing(10)
  for (let index = 0; index < 100; index++) observe(seenOf('POST', '/predict?secret=1', 200))
  expect(lines).toHaveLength(10)
  expect(lines[0]).toMatchObject({ requestId: 'r-1', method: 'POST', path: '/predict', status: 200, user: 'ana', model: 'fish', upstream: 'inference' })
  expect(JSON.stringify(lines)).not.toContain('secret')
})

test('failures and writes are all logged, but a flood of refusals is not', () => {
  const { lines, observe } = observing(0)
  for (let index = 0; index < 5; index++) observe(seenOf('POST', '/predict', 500))
  observe(seenOf('POST', '/api/v1/models', 201))
  observe(seenOf('GET', '/api/v1/models', 200))
  expect(lines.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500, 201])
  for (let index = 0; index < 1000; index++) observe(seenOf('POST', '/predict', 503))
  expect(lines.length).toBeLessThan(100)
})

test('an administrative call is noted with its caller, whatever came of it', () => {
  const { noted, observe } = observing(0)
  observe(seenOf('POST', '/api/v1/promotions/policies', 403))
  observe(seenOf('POST', '/predict', 200))
  expect(noted).toEqual([
    { requestId: 'r-1', user: 'ana', role: 'editor', address: '10.0.0.1', method: 'POST', path: '/api/v1/promotions/policies', status: 403 },
  ])
})
