import { expect, test } from 'vitest'
import { ok, route } from './route.ts'
import { jsonOf, serveRoutes } from './serve-routes.fixture.ts'

const at = (path: string, access: 'public' | 'promote' | 'internal') =>
  route({ method: 'GET', path, access, summary: path, handle: async ({ caller }) => ok(caller) })
const routes = [at('/public', 'public'), at('/promote', 'promote'), at('/internal', 'internal')]

test('without a token only public routes answer', async () => {
  const app = await serveRoutes(routes)
  expect(await (await fetch(`${app.url}/public`)).json()).toEqual({ service: '', user: 'anonymous', role: 'viewer' })
  const refused = await fetch(`${app.url}/promote`)
  expect([refused.status, (await jsonOf(refused))['code']]).toEqual([401, 'UNAUTHENTICATED'])
})

test('a role that lacks the right answers 403 and says which', async () => {
  const app = await serveRoutes(routes)
  const refused = await app.send('/promote', { role: 'editor' })
  expect([refused.status, (await jsonOf(refused))['detail']]).toEqual([403, "ana has the role editor, which does not include the right 'promote'."])
  expect((await app.send('/promote', { role: 'promoter' })).status).toBe(200)
})

test('internal routes refuse even an admin behind the gateway, and take a service', async () => {
  const app = await serveRoutes(routes)
  expect((await app.send('/internal', { role: 'admin' })).status).toBe(403)
  const authorization = `Bearer ${await app.ring.identityOf('trainer').sign('registry')}`
  expect(await jsonOf(await app.send('/internal', { headers: { authorization } }))).toMatchObject({ service: 'trainer' })
})

test('a bad token is as good as none on a public route, and a 401 elsewhere', async () => {
  const app = await serveRoutes(routes)
  const headers = { authorization: 'Bearer mlr_key_of_somebody' }
  expect(await jsonOf(await app.send('/public', { headers }))).toMatchObject({ user: 'anonymous' })
  expect((await app.send('/promote', { headers })).status).toBe(401)
  expect((await app.send('/promote', { headers: { authorization: 'Basic YTpi' } })).status).toBe(401)
})
