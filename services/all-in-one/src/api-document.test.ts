import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@millrace/platform/log.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { prepareDataDirectory } from './data-directory.ts'
import { startMillrace } from './start-millrace.ts'

const schema = z.looseObject({
  openapi: z.literal('3.1.0'),
  'x-missing-services': z.array(z.string()).default([]),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        tags: z.array(z.string()),
        parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
})

let root: string
let millrace: Awaited<ReturnType<typeof startMillrace>>
let text: string
let document: z.infer<typeof schema>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-document-'))
  millrace = await startMillrace({ directory: await prepareDataDirectory(root), host: '127.0.0.1', port: 0, env: {}, log: silentLog })
  text = await (await fetch(`${millrace.value.url}/api/v1/openapi.json`)).text()
  document = schema.parse(JSON.parse(text))
})
afterAll(async () => {
  await millrace?.stop()
  await rm(root, { recursive: true, force: true })
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })))

test('the document describes all services, none is missing', () => {
  expect(document['x-missing-services']).toEqual([])
  const tags = new Set(operations().flatMap((operation) => operation.tags))
  expect([...tags]).toEqual(expect.arrayContaining(['tracking', 'registry', 'trainer', 'promoter', 'drift-monitor', 'inference', 'gateway']))
})

test('it is sound: operations have names of their own, every part of a path is a parameter, references lead somewhere, and each tells its error', () => {
  const ids = operations().map(({ operationId }) => operationId)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  for (const { path, parameters, responses } of operations()) {
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
    expect([path, new Set(inPath)]).toEqual([path, new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))])
    expect(Object.keys(responses)).toContain('default')
  }
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) expect(document.components.schemas).toHaveProperty(name)
})

test('what it describes is there: reads without parameters answer, and not with 404 of an unknown path or 405', async () => {
  const plain = operations().filter(({ path, method }) => method === 'get' && !path.includes('{') && path !== '/api/v1/events')
  for (const { path } of plain) {
    const answer = await fetch(`${millrace.value.url}${path}`)
    const body = await answer.text()
    expect([path, answer.status === 405, body.includes('ENDPOINT_NOT_FOUND'), body.includes('There is nothing at')]).toEqual([path, false, false, false])
  }
})

test('the page shows every path', async () => {
  const html = await (await fetch(`${millrace.value.url}/api/v1/docs`)).text()
  for (const path of Object.keys(document.paths)) expect(html).toContain(`<code>${path}</code>`)
})
