import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { freshSchema } from '@millrace/platform/sql/postgres.fixture.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { expect, test } from 'vitest'
import { migrations } from './service.ts'
import { verifyTrail } from './testing/read-audit.ts'
import { type Answer, type RunningRegistry, registered, runningRegistry, servableFiles, transition } from './testing/running-registry.ts'

const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => work(index)))

const everybody: OutsideClient = { findProblem: async () => null, post: async () => ({ status: 200, body: '', retryAfter: null }) }

const onPostgres = (): Promise<RunningRegistry> =>
  runningRegistry(
    {},
    {
      outside: everybody,
      openDatabase: async () => {
        const { database } = await freshSchema({ maxConnections: 20 })
        await migrateService(database, migrations)
        return database
      },
    },
  )

const numberOf = ({ body }: Answer): number => Number(Object(body['model_version']).version)
const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

async function stagesOf(registry: RunningRegistry): Promise<string[]> {
  const rows = await registry.database.query('select stage from model_version where deleted_at is null order by stage')
  return rows.map((row) => String(row['stage']))
}

describeWith('postgres', () => {
  test('sixteen who create versions at once get sixteen numbers, and numbers of deleted ones never come back', async () => {
    const registry = await onPostgres()
    await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
    await registry.tracking.put('runs:/r/model', servableFiles())
    const create = () => registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r/model' })
    const first = await times(16, create)
    expect(first.map(numberOf).toSorted((a, b) => a - b)).toEqual(oneTo(16))
    const [second] = await Promise.all([
      times(16, create),
      times(16, (index) => registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: index + 1 })),
    ])
    expect(second.map(numberOf).toSorted((a, b) => a - b)).toEqual(oneTo(16).map((number) => number + 16))
    expect((await verifyTrail(registry.database)).findings).toEqual([])
  })

  test('of sixteen who create one name at once one wins, and the others are told that it exists', async () => {
    const registry = await onPostgres()
    const answers = await times(16, () => registry.mlflow('POST', 'registered-models/create', { name: 'fish' }))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const refused = answers.filter(({ status, body }) => status === 400 && body['error_code'] === 'RESOURCE_ALREADY_EXISTS')
    expect(refused.map(({ body }) => body['message'])).toEqual(Array.from({ length: 15 }, () => 'Registered Model (name=fish) already exists.'))
  })

  test('promotions that race leave exactly one Production version at every moment', async () => {
    const registry = await onPostgres()
    await registered(registry, 'fish', 6)
    await transition(registry, 1, 'Production')
    const seen: number[] = []
    const racing = times(12, (index) => transition(registry, (index % 6) + 1, 'Production'))
    const done = new AbortController()
    const watching = (async () => {
      do {
        const [row] = await registry.database.query<{ count: number }>("select count(*)::int as count from model_version where stage = 'Production'")
        seen.push(row?.count ?? 0)
      } while (!done.signal.aborted)
    })()
    const answers = await racing
    done.abort()
    await watching
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(seen)).toEqual(new Set([1]))
    expect(await stagesOf(registry)).toEqual(['Archived', 'Archived', 'Archived', 'Archived', 'Archived', 'Production'])
    await registry.settled()
    const generations = (await registry.published('millrace.serving-state.v1')).map(({ data }) => data['generation'])
    expect(generations).toEqual(oneTo(generations.length))
    expect((await verifyTrail(registry.database)).findings).toEqual([])
  })

  test('a promotion and a demotion that race end in one of the two orders', async () => {
    const registry = await onPostgres()
    await registered(registry, 'fish', 2)
    await transition(registry, 1, 'Production')
    const answers = await Promise.all([transition(registry, 2, 'Production'), transition(registry, 1, 'None')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const [one, two] = await registry.database.query('select stage from model_version order by version')
    expect([one?.['stage'], two?.['stage']]).toSatisfy(([first, second]: string[]) => second === 'Production' && (first === 'None' || first === 'Archived'))
  })

  test('a renaming takes versions, aliases, tags and history along while others write', async () => {
    const registry = await onPostgres()
    await registered(registry, 'fish', 2)
    const { mlflow } = registry
    await mlflow('POST', 'registered-models/alias', { name: 'fish', alias: 'champion', version: '1' })
    await mlflow('POST', 'registered-models/set-tag', { name: 'fish', key: 'team', value: 'lake' })
    const [renamed] = await Promise.all([
      mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' }),
      times(8, (index) => mlflow('POST', 'model-versions/set-tag', { name: 'fish', version: '1', key: `k${index}`, value: 'v' })),
      times(4, () => mlflow('POST', 'registered-models/create', { name: 'trout' })),
    ])
    const after = (await mlflow('GET', 'registered-models/search', { filter: "tags.team = 'lake'" })).body['registered_models']
    const [model] = Array.isArray(after) ? after : []
    expect(model).toMatchObject({ name: renamed.status === 200 ? 'trout' : 'fish', aliases: [{ alias: 'champion', version: '1' }] })
    const trail = (await registry.send('GET', `/api/v1/models/${model.name}/audit`)).body['entries']
    expect(trail).toEqual(expect.arrayContaining([expect.objectContaining({ action: 'create-model', to: 'fish' })]))
    expect((await verifyTrail(registry.database)).findings).toEqual([])
  })

  test('aliases that race point to one version, and deletions of one version happen once', async () => {
    const registry = await onPostgres()
    await registered(registry, 'fish', 4)
    await times(12, (index) => registry.mlflow('POST', 'registered-models/alias', { name: 'fish', alias: 'champion', version: (index % 4) + 1 }))
    expect(await registry.database.query('select count(*)::int as count from model_alias')).toEqual([{ count: 1 }])
    const deletions = await times(6, () => registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' }))
    expect(deletions.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(deletions.filter(({ status }) => status === 404)).toHaveLength(5)
  })

  test('changes of every kind that race on one version never wait for one another in a circle', async () => {
    const registry = await onPostgres()
    await registered(registry, 'fish', 8)
    const { mlflow } = registry
    const body = { name: 'ci', url: 'https://receiver.example/', events: [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }] }
    const hook = Object((await registry.mlflow('POST', 'webhooks', body)).body['webhook']).webhook_id
    for (let version = 1; version <= 8; version++) await mlflow('POST', 'registered-models/alias', { name: 'fish', alias: `a${version}`, version })
    const answers = await times(8, (index) => {
      const key = { name: 'fish', version: index + 1 }
      return Promise.all([
        mlflow('POST', 'model-versions/set-tag', { ...key, key: 'k', value: 'v' }),
        mlflow('DELETE', 'model-versions/delete', key),
        mlflow('PATCH', 'model-versions/update', { ...key, description: 'd' }),
        mlflow('POST', 'registered-models/create', { name: `m${index}` }),
        mlflow('PATCH', `webhooks/${hook}`, { description: `d${index}` }),
      ])
    })
    // A version that is deleted already is not found; nothing else goes wrong, a deadlock would answer 503.
    expect(answers.flat().filter(({ status }) => status !== 200 && status !== 404)).toEqual([])
    expect((await verifyTrail(registry.database)).findings).toEqual([])
  })
})
