import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Started } from '@millrace/platform/component.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hiddenPaths, leaksIn, makePrey, type Prey, waysTo } from './artifact-vectors.fixture.ts'
import { type GuardedMillrace, type Send, startGuarded, type Told, textIn } from './guarded.fixture.ts'

const ARTIFACTS = '/api/2.0/mlflow-artifacts'
const PREFIXES = [ARTIFACTS, '/ajax-api/2.0/mlflow-artifacts']

let millrace: Started<GuardedMillrace>
let send: Send
let prey: Prey
let keys: { nobody: string; reader: string; writer: string }

beforeAll(async () => {
  millrace = await startGuarded()
  send = millrace.value.send
  prey = await makePrey(send, 'prey')
  const keyWith = async (user: string, permission: string): Promise<string> => {
    await send('POST', '/api/v1/access/grants', { body: { user, resource: 'experiment', id: prey.experimentId, permission } })
    return millrace.value.keyOf(user, 'editor')
  }
  keys = { nobody: await keyWith('nobody', 'NO_PERMISSIONS'), reader: await keyWith('reader', 'READ'), writer: await keyWith('writer', 'EDIT') }
})
afterAll(() => millrace.stop())

const as =
  (key: string | null): Send =>
  (method, path, asking) =>
    send(method, path, { ...asking, key })
const kept = async (): Promise<void> => {
  const told = await send('GET', `${ARTIFACTS}/artifacts/${prey.root}/kept.txt`)
  expect([told.status, told.text], 'the file is still there').toEqual([200, 'kept'])
}
/** By every way, so that one that differs is named. */
async function outcomes(asker: Send, paths: readonly string[], ways = waysTo(prey)): Promise<{ way: string; path: string; told: Told }[]> {
  const found: { way: string; path: string; told: Told }[] = []
  for (const [way, go] of ways) {
    const told = await Promise.all(paths.map((path) => go(asker, path)))
    found.push(...told.map((answer, index) => ({ way, path: paths[index] ?? '', told: answer })))
  }
  return found
}
const waysWith = (part: string) => waysTo(prey).filter(([way]) => way.includes(part))

describe('paths that leave their root', () => {
  test('CVE-2024-1558, CVE-2024-1594, CVE-2023-1177 (GHSA-xg73-94fp-g449): no path that hides something is taken, in any encoding, by any way in or out', async () => {
    const wrong = (await outcomes(send, hiddenPaths)).filter(({ told }) => told.status !== 400 || !told.text.includes('Invalid path'))
    expect(wrong.map(({ way, path, told }) => `${way} ${path}: ${told.status} ${told.text.slice(0, 100)}`)).toEqual([])
    await kept()
  })

  test('what is refused tells nothing of roots, files or statements', async () => {
    const answers = await outcomes(send, ['../../etc/passwd', 'x%00', 'absent.txt'])
    const telling = answers.filter(({ told }) => told.status >= 400 && leaksIn(told, millrace.value).length > 0)
    expect(telling.map(({ way, told }) => `${way}: ${told.text}`)).toEqual([])
  })

  test('CVE-2023-6831, CVE-2024-1560: DELETE follows no `..`, single, double or triple encoded', async () => {
    const climbs = [1, 2, 3].flatMap((rounds) => {
      const dots = `%${'25'.repeat(rounds - 1)}2e`.repeat(2)
      return [`${prey.root}/${dots}/artifacts/kept.txt`, `${prey.root}/x/${dots}/kept.txt`, `x/${dots}/${prey.root}/kept.txt`]
    })
    const ways = waysWith('DELETE')
    expect(ways).toHaveLength(2)
    for (const { told } of await outcomes(send, [...climbs, `${prey.root}/x/../kept.txt`], ways)) expect(told.status).toBe(400)
    await kept()
  })

  test('CVE-2023-6975: nothing is written outside of the store, and in it no file has a name that a caller chose', async () => {
    for (const path of ['../outside.txt', '%2e%2e%2foutside.txt', '..%5coutside.txt']) await send('PUT', `${ARTIFACTS}/artifacts/${path}`, { raw: 'x' })
    await send('PUT', `${ARTIFACTS}/artifacts/${prey.root}/inside.py`, { raw: 'print(1)' })
    const { blobs, root } = millrace.value.directory
    const names = (await readdir(blobs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)
    expect(names.filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([])
    expect((await readdir(await realpath(join(root, '..')))).filter((name) => name.includes('outside'))).toEqual([])
  })

  test.each(['..', 'a/..', '../..', 'x%2f..%2f..%2fy', '%252e%252e', 'x%00', 'x\u0000', 'x#y', 'C:', 'file:', ''])(
    'CVE-2026-2651: the body of a multipart call is checked like its route: %j',
    async (path) => {
      for (const base of PREFIXES) {
        const calls = ['create', 'complete', 'abort'].map((call) =>
          send('POST', `${base}/mpu/${call}/${prey.root}`, { body: { path, num_parts: 1, upload_id: 'u', parts: [] } }),
        )
        for (const told of await Promise.all(calls))
          expect([told.status, told.text]).toEqual([400, expect.stringMatching(/Invalid path|required parameter 'path'/)])
      }
    },
  )

  test('CVE-2026-2651: of a body that names another folder only the file name counts, and an upload is ended under the route it was begun at', async () => {
    const other = `${prey.experimentId}/elsewhere`
    const begun = await send('POST', `${ARTIFACTS}/mpu/create/${prey.root}`, { body: { path: `../../${other}/big.bin`, num_parts: 1 } })
    expect(begun.status).toBe(200)
    const upload_id = textIn(begun, 'upload_id')
    for (const call of ['complete', 'abort']) {
      const told = await send('POST', `${ARTIFACTS}/mpu/${call}/${other}`, { body: { path: 'big.bin', upload_id, parts: [] } })
      expect(told.status, told.text).toBeGreaterThanOrEqual(400)
    }
    expect((await send('POST', `${ARTIFACTS}/mpu/abort/${prey.root}`, { body: { path: 'big.bin', upload_id } })).status).toBe(200)
  })
})

describe('callers without the right', () => {
  test('PRs #20035, #21708: without a key every way to a file is shut, those of browsers too', async () => {
    const open = (await outcomes(as(null), ['kept.txt', `${prey.root}/kept.txt`])).filter(({ told }) => told.status !== 401)
    expect(open.map(({ way, told }) => `${way}: ${told.status}`)).toEqual([])
    await kept()
  })

  test('CVE-2026-2651 (GHSA-8c7q-86fq-vvmh): multipart calls ask for a key, and for the right on the experiment', async () => {
    for (const base of PREFIXES)
      for (const call of ['create', 'complete', 'abort']) {
        const ask = (key: string | null) =>
          send('POST', `${base}/mpu/${call}/${prey.root}`, { key, body: { path: 'x', num_parts: 1, upload_id: 'u', parts: [], run_id: 'mine' } })
        expect([(await ask(null)).status, (await ask(keys.nobody)).status, (await ask(keys.reader)).status]).toEqual([401, 403, 403])
      }
  })

  test('CVE-2024-4263 (PR #12542): who may read does not write, and who may write does not delete', async () => {
    for (const base of PREFIXES) {
      const file = `${base}/artifacts/${prey.root}/kept.txt`
      const asked = async (method: string, key: string) => (await send(method, file, { key, ...(method === 'PUT' ? { raw: 'kept' } : {}) })).status
      expect([await asked('GET', keys.nobody), await asked('PUT', keys.nobody), await asked('DELETE', keys.nobody)]).toEqual([403, 403, 403])
      expect([await asked('GET', keys.reader), await asked('PUT', keys.reader), await asked('DELETE', keys.reader)]).toEqual([200, 403, 403])
      expect([await asked('GET', keys.writer), await asked('PUT', keys.writer), await asked('DELETE', keys.writer)]).toEqual([200, 200, 403])
    }
    await kept()
  })

  test('without a right on the experiment no way leads to its files, whatever alias it has', async () => {
    const below = ['kept.txt']
    const ways = waysTo(prey).filter(([way]) => !way.includes('/artifacts/ ') && !way.includes('model-versions'))
    const inStore = ways.filter(([way]) => way.includes('mlflow-artifacts'))
    const answers = [
      ...(await outcomes(as(keys.nobody), [`${prey.root}/kept.txt`], inStore)),
      ...(await outcomes(
        as(keys.nobody),
        below,
        ways.filter(([way]) => !inStore.some(([other]) => other === way)),
      )),
    ]
    expect(answers.filter(({ told }) => told.status !== 403).map(({ way, told }) => `${way}: ${told.status} ${told.text}`)).toEqual([])
  })

  test('CVE-2026-2651: nobody writes among the files of an experiment by laying one of their own inside it', async () => {
    const create = (key: string, artifact_location: string) =>
      send('POST', '/api/2.0/mlflow/experiments/create', { key, body: { name: `inside ${artifact_location} ${key}`, artifact_location } })
    const inside = [prey.experimentId, prey.root, `${prey.experimentId}/models/${prey.modelId}/artifacts`, `x/${prey.runId}`, `./${prey.experimentId}//x`]
    for (const at of [...inside, '99999'])
      for (const uri of [`mlflow-artifacts:/${at}`, `mlflow-artifacts://elsewhere/${at}`]) {
        expect([uri, (await create(keys.nobody, uri)).status, (await create(keys.reader, uri)).status]).toEqual([uri, 403, 403])
      }
    expect([(await create(keys.nobody, 'mlflow-artifacts:/mine')).status, (await create(keys.writer, `mlflow-artifacts:/${prey.root}`)).status]).toEqual([
      200, 200,
    ])
  })

  test('CVE-2024-4263: a folder is not deleted by one who may not delete all that lies in it', async () => {
    const create = async (name: string): Promise<string> =>
      textIn(await send('POST', '/api/2.0/mlflow/experiments/create', { body: { name, artifact_location: `mlflow-artifacts:/${name}` } }), 'experiment_id')
    const [outer, inner] = [await create('team'), await create('team/secret')]
    const grant = (id: string, permission: string) =>
      send('POST', '/api/v1/access/grants', { body: { user: 'writer', resource: 'experiment', id, permission } })
    await grant(outer, 'MANAGE')
    await grant(inner, 'NO_PERMISSIONS')
    await send('PUT', `${ARTIFACTS}/artifacts/team/secret/kept.txt`, { raw: 'kept' })
    for (const base of PREFIXES) expect((await send('DELETE', `${base}/artifacts/team`, { key: keys.writer })).status).toBe(403)
    await grant(inner, 'MANAGE')
    expect((await send('DELETE', `${ARTIFACTS}/artifacts/team`, { key: keys.writer })).status).toBe(200)
  })

  test('GHSA-xg73-94fp-g449: nobody gets at files that they may not read by making a version of them', async () => {
    const mlflow = '/api/2.0/mlflow'
    await send('POST', `${mlflow}/registered-models/create`, { key: keys.nobody, body: { name: 'mine' } })
    const sources = [`runs:/${prey.runId}`, `mlflow-artifacts:/${prey.root}`, `mlflow-artifacts:/${prey.experimentId}`, `models:/${prey.modelId}`]
    for (const source of sources)
      for (const prefix of [mlflow, '/ajax-api/2.0/mlflow']) {
        const told = await send('POST', `${prefix}/model-versions/create`, { key: keys.nobody, body: { name: 'mine', source } })
        expect([source, told.status]).toEqual([source, 403])
      }
    expect((await send('GET', '/model-versions/get-artifact?name=mine&version=1&path=kept.txt', { key: keys.nobody })).status).toBe(404)
  })

  test('#23500: where others can reach the gateway nothing but health, version and pages is answered without a key', async () => {
    const routes = millrace.value.services.flatMap((service) => service.routes.filter((route) => route.access !== 'public'))
    expect(routes.length).toBeGreaterThan(200)
    const asked = await Promise.all(
      routes.map(async ({ method, path }) => `${method} ${path} ${(await send(method, path.replaceAll(/[:*]\w+/g, 'x'), { key: null })).status}`),
    )
    expect(asked.filter((line) => !line.endsWith(' 401'))).toEqual([])
  })
})
