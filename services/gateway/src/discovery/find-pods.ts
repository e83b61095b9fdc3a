import { setTimeout as pause } from 'node:timers/promises'
import type { Started } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import { originOf, type PodAddress } from '../domain/pod-address.ts'
import type { ResolveNames } from './resolve-names.ts'

/** The pods of one service as they are known now. */
export interface FoundPods {
  list(): readonly string[]
  /** The name that a certificate at the address must hold for; undefined where the address is not looked up. */
  serverNameOf(origin: string): string | undefined
}

export interface FindPodsOptions {
  readonly addresses: readonly PodAddress[]
  readonly resolve: ResolveNames
  /** How long an answer of DNS holds at most. */
  readonly maxAgeMs: number
  readonly log: Log
}

interface Found {
  readonly origin: string
  readonly serverName: string
  readonly ttlMs: number
}

const MIN_AGE_MS = 1000

/**
 * Looks the names up, and again when the answer is too old. While DNS does not answer, or knows the name no longer, the last list stays: pods that are gone are found
 * out by asking them, and a name server that restarts must not end all predictions.
 */
export async function findPods(options: FindPodsOptions): Promise<Started<FoundPods>> {
  const { addresses, log } = options
  const fixed = addresses.flatMap((address) => (address.kind === 'static' ? address.url : []))
  const names = addresses.filter((address) => address.kind !== 'static')
  const stopping = new AbortController()
  const known = new Map<PodAddress, readonly Found[]>()
  let list: readonly string[] = fixed
  let serverNames = new Map<string, string>()

  function publish(): void {
    const found = [...known.values()].flat()
    list = [...new Set([...fixed, ...found.map(({ origin }) => origin).toSorted()])]
    serverNames = new Map(found.map(({ origin, serverName }) => [origin, serverName]))
  }
  const follow = async (address: PodAddress, first: PromiseWithResolvers<void>): Promise<void> => {
    const look = createLook(options, address)
    while (!stopping.signal.aborted) {
      const { found, againMs } = await look()
      if (found) known.set(address, found)
      if (found) publish()
      first.resolve()
      await pause(againMs, null, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }
  const firsts = names.map(() => Promise.withResolvers<void>())
  const following = names.map((address, index) => follow(address, firsts[index] ?? Promise.withResolvers<void>()))
  await Promise.all(firsts.map(({ promise }) => promise))
  if (names.length > 0) log.info('Pods were looked up', { pods: list })
  return {
    value: { list: () => list, serverNameOf: (origin) => serverNames.get(origin) },
    async stop() {
      stopping.abort()
      await Promise.all(following)
    },
  }
}

/** One look-up after the other of one name. Nothing found is no news, and tried again soon. */
function createLook({ resolve, maxAgeMs, log }: FindPodsOptions, address: PodAddress) {
  let failing = false
  return async function look(): Promise<{ found: readonly Found[] | null; againMs: number }> {
    try {
      const found = await lookUp(resolve, address)
      if (found.length === 0) throw new Error('the name has no addresses')
      if (failing) log.info('Pods are found by name again', { name: nameOf(address) })
      failing = false
      return { found, againMs: Math.max(MIN_AGE_MS, Math.min(maxAgeMs, ...found.map(({ ttlMs }) => ttlMs))) }
    } catch (error) {
      if (!failing) log.warn('Pods are not found by name; those known before stay', { name: nameOf(address), reason: messageOf(error) })
      failing = true
      return { found: null, againMs: MIN_AGE_MS }
    }
  }
}

const nameOf = (address: PodAddress): string => (address.kind === 'static' ? address.url : address.name)

async function lookUp(resolve: ResolveNames, address: PodAddress): Promise<Found[]> {
  if (address.kind === 'static') return []
  const targets = address.kind === 'service' ? await resolve.targets(address.name) : [{ name: address.name, port: address.port }]
  const found = await Promise.all(
    targets.map(async ({ name, port }) =>
      (await resolve.addresses(name)).map((entry) => ({
        origin: originOf(address.scheme, entry.address, port),
        serverName: name,
        ttlMs: entry.ttlSeconds * 1000,
      })),
    ),
  )
  return found.flat()
}
