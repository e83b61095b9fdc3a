import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LISTING } from '@millrace/platform/access/permission.ts'
import type { Route } from '@millrace/platform/http/route.ts'
import { silentLog } from '@millrace/platform/log.ts'
import type { Service } from '@millrace/platform/service.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareDataDirectory } from './data-directory.ts'
import { startMillrace } from './start-millrace.ts'

const services: Service[] = []
let root: string
let stop: () => Promise<void>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-permissions-'))
  const directory = await prepareDataDirectory(root)
  const millrace = await startMillrace({ directory, host: '127.0.0.1', port: 0, env: {}, log: silentLog, onService: (service) => services.push(service) })
  stop = millrace.stop
})

afterAll(async () => {
  await stop()
  await rm(root, { recursive: true, force: true })
})

type Declared = Pick<Route, 'method' | 'path' | 'permission'>
const everyRoute = () =>
  services.flatMap((service) =>
    [...service.routes, ...(service.directRoutes?.() ?? [])].map(({ method, path, permission }) => ({ service, method, path, permission })),
  )
const nameOf = ({ service, method, path }: { service: Service } & Pick<Declared, 'path'> & { method: string }) => `${service.name}: ${method} ${path}`

test('every route of every service, of the prediction path and of the gateway itself is mapped to a permission', () => {
  expect(new Set(services.map(({ name }) => name))).toEqual(new Set(['drift-monitor', 'gateway', 'inference', 'promoter', 'registry', 'tracking', 'trainer']))
  expect(everyRoute().length).toBeGreaterThan(200)
  expect(
    everyRoute()
      .filter(({ permission }) => permission === undefined)
      .map(nameOf),
  ).toEqual([])
})

test('every permission on a resource is one that the service can find', () => {
  const located = services.flatMap((service) => service.routes.map((route) => ({ service, ...route })))
  const lost = located.filter(({ service, permission }) => typeof permission === 'object' && permission.of !== LISTING && !service.locators?.[permission.of])
  expect(lost.map(nameOf)).toEqual([])
})

test('permission and role of a route agree', () => {
  const services_ = services.flatMap((service) => service.routes.map((route) => ({ service, ...route })))
  const rules = { public: 'public', service: 'internal', admin: 'admin' } as const
  const torn = services_.filter(({ permission, access }) => {
    if (typeof permission === 'string' && permission !== 'caller') return rules[permission] !== access
    return access === 'public' || access === 'internal' || access === 'admin'
  })
  expect(torn.map(nameOf)).toEqual([])
})

test('the prefix of browsers is under the very permissions of that of clients', () => {
  for (const service of services) {
    const permissions = new Map(service.routes.map((route) => [`${route.method} ${route.path}`, route.permission]))
    for (const [route, permission] of permissions)
      if (route.includes(' /ajax-api/')) expect([route, permission]).toEqual([route, permissions.get(route.replace('/ajax-api/', '/api/'))])
  }
})
