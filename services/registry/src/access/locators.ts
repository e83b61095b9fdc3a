import { sourceResponse } from '@millrace/contracts/http/access.ts'
import type { Located, Locators } from '@millrace/platform/access/permission.ts'
import { z } from 'zod'
import type { RegistryDeps } from '../deps.ts'
import { classifySource } from '../domain/source.ts'
import { modelResource } from './store.ts'

const TIMEOUT_MS = 5_000
const maybeText = z.string().nullish().catch(null)
const named = z.looseObject({ name: maybeText, new_name: maybeText, source: maybeText, run_id: maybeText })

/** The routes have read their own fields: a name is in the path, the query or the body, and in one of them alone. */
const fieldsOf = ({ params, query, body }: { params: unknown; query: unknown; body: unknown }) =>
  named.parse({ ...z.looseObject({}).catch({}).parse(body), ...z.looseObject({}).catch({}).parse(query), ...z.looseObject({}).catch({}).parse(params) })

/** How the registry finds the model that a request is about. */
export function createLocators({ database, tracking }: Pick<RegistryDeps, 'database' | 'tracking'>): Locators {
  const modelNamed = async (name: string): Promise<Located[]> => [(await modelResource(database, name)) ?? []].flat()
  const sources = async ({ source, run_id: runId }: z.infer<typeof named>): Promise<Located[]> => {
    const read = source ? classifySource(source) : null
    if (read?.kind === 'version') return (await modelNamed(read.model)).map((model) => ({ ...model, needs: 'READ' }))
    const body = { source: read?.kind === 'external' ? '' : (source ?? ''), ...(runId ? { runId } : {}) }
    const { experiments } = await tracking.call({ method: 'POST', path: '/api/v1/sources', body, response: sourceResponse, timeoutMs: TIMEOUT_MS })
    return experiments.map((experiment) => ({ ...experiment, kind: 'experiment', needs: 'READ' }))
  }
  return {
    model: async (input) => {
      const { name, new_name: newName } = fieldsOf(input)
      return [...(await modelNamed(name ?? '')), ...(newName ? [{ kind: 'model' as const, name: newName, needs: 'CREATE' as const }] : [])]
    },
    'new-model': async (input) => [{ kind: 'model', name: fieldsOf(input).name ?? '' }],
    // Whoever may make versions of one model must not read the files of any run by it.
    'new-version': async (input) => {
      const fields = fieldsOf(input)
      return [...(await modelNamed(fields.name ?? '')), ...(await sources(fields))]
    },
    'every-model': async () => [{ kind: 'model', name: '' }],
    // The trail outlives the model.
    'audited-model': async (input) => {
      const { name } = fieldsOf(input)
      return [(await modelResource(database, name ?? '')) ?? { kind: 'model', name: name ?? '' }]
    },
  }
}
