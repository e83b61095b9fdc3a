import { ownersResponse } from '@millrace/contracts/http/access.ts'
import type { Resource, ResourceKind } from '@millrace/platform/access/rights.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { Log } from '@millrace/platform/log.ts'
import { type Dispatcher, request } from 'undici'

/** Who made which experiment and model, as tracking and registry said last. */
export interface Owners {
  /** The newest that a user made. */
  of(user: string, atMost: number): readonly Resource[]
  find(kind: ResourceKind, by: { name?: string; id?: string }): Resource | null
  /** Asks again; a service that does not answer leaves what it said before. */
  refresh(): Promise<void>
}

export interface OwnersDeps {
  readonly upstreams: Readonly<Record<'tracking' | 'registry', () => readonly string[]>>
  readonly identity: ServiceIdentity
  readonly dispatcher: Dispatcher
  readonly log: Log
}

const TIMEOUT_MS = 2000
const sources = [
  ['experiment', 'tracking'],
  ['model', 'registry'],
] as const

export function createOwners(deps: OwnersDeps): Owners {
  const made = new Map<ResourceKind, readonly Resource[]>()
  let underWay: Promise<void> | null = null
  async function ask(): Promise<void> {
    await Promise.all(sources.map(async ([kind, service]) => made.set(kind, (await askService(deps, kind, service)) ?? made.get(kind) ?? [])))
  }
  return {
    of: (user, atMost) => [...made.values()].flatMap((list) => list.filter(({ owner }) => owner === user).slice(0, atMost)),
    find: (kind, { name, id }) =>
      made.get(kind)?.find((resource) => (id !== undefined && resource.id === id) || (name !== undefined && resource.name === name)) ?? null,
    async refresh() {
      underWay ??= ask().finally(() => {
        underWay = null
      })
      await underWay
    },
  }
}

async function askService(deps: OwnersDeps, kind: ResourceKind, service: 'tracking' | 'registry'): Promise<Resource[] | null> {
  for (const origin of deps.upstreams[service]()) {
    try {
      const headers = { authorization: `Bearer ${await deps.identity.sign(service)}` }
      const answer = await request(new URL('/api/v1/owners', origin), { dispatcher: deps.dispatcher, headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
      const { owned } = ownersResponse.parse(await answer.body.json())
      return owned.map(({ id, name, owner }) => ({ kind, name, owner, ...(id === undefined ? {} : { id }) }))
    } catch (error) {
      deps.log.debug('a service did not tell who made what', { service, error })
    }
  }
  return null
}
