import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { type OpenApiPaths, openApiDocument } from '@millrace/platform/http/openapi.ts'
import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import { type UpstreamName, upstreamNames } from '../domain/route-table.ts'
import { gatewayPaths } from './gateway-paths.ts'
import { introduction, tags } from './introduction.ts'
import { kservePaths, mlflowScoringPaths, oipPaths, predictPaths } from './prediction-paths.ts'

/** The OpenAPI 3.1 document of everything behind the gateway. */
export type Describe = () => Promise<Record<string, unknown>>

export interface DescribeDeps {
  readonly upstreams: Readonly<Record<UpstreamName, () => readonly string[]>>
  readonly identity: ServiceIdentity
  readonly dispatcher: Dispatcher
}

const KEEP_MS = 60_000
/** Asked again soon where a part was missing. */
const KEEP_INCOMPLETE_MS = 2000
const ASK_TIMEOUT_MS = 2000
const description = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

/**
 * Each service describes its own routes, from the schemas with which it reads requests; the prediction path and the gateway are described here, from the same contracts.
 * A service that does not answer is left out, and named: what it said last stays.
 */
export function createDescribe(deps: DescribeDeps): Describe {
  const last = new Map<UpstreamName, OpenApiPaths>()
  let kept: { untilMs: number; document: Promise<Record<string, unknown>> } | null = null

  async function make(): Promise<Record<string, unknown>> {
    const described = await Promise.all(upstreamNames.map(async (name) => [name, await askService(deps, name)] as const))
    for (const [name, paths] of described) if (paths) last.set(name, paths)
    const missing = described.flatMap(([name, paths]) => (paths ? [] : name))
    if (missing.length > 0 && kept) kept.untilMs = performance.now() + KEEP_INCOMPLETE_MS
    const own = [oipPaths, predictPaths, mlflowScoringPaths, kservePaths, gatewayPaths]
    const paths: OpenApiPaths = Object.assign({}, ...last.values(), ...own)
    const document = openApiDocument({ title: 'Millrace', version: '1', description: introduction, tags, paths })
    return missing.length === 0 ? document : { ...document, 'x-missing-services': missing }
  }
  return function describe() {
    if (!kept || kept.untilMs < performance.now()) kept = { untilMs: performance.now() + KEEP_MS, document: make() }
    return kept.document
  }
}

async function askService({ upstreams, identity, dispatcher }: DescribeDeps, name: UpstreamName): Promise<OpenApiPaths | null> {
  for (const origin of upstreams[name]()) {
    try {
      const headers = { authorization: `Bearer ${await identity.sign(name)}` }
      const answer = await request(new URL('/api-description', origin), { dispatcher, headers, signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
      return description.parse(await answer.body.json()).paths
    } catch {
      // The next process of the service is as good.
    }
  }
  return null
}
