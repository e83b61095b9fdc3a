import { join } from 'node:path'

/** In the order in which they start; stopped the other way round, so that callers go before those they call. */
export const serviceNames = ['tracking', 'registry', 'promoter', 'trainer', 'drift-monitor', 'inference', 'gateway'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface ClusterSettings {
  /** Of the first gateway. */
  readonly host: string
  readonly port: number
  /** First of the ports of all other processes. */
  readonly basePort: number
  /** Processes of each service. */
  readonly copies: number
  readonly dataRoot: string
}

/** One process of the cluster. */
export interface Member {
  /** Such as `registry-2`. */
  readonly name: string
  readonly service: ServiceName
  readonly port: number
  readonly url: string
  readonly env: Readonly<Record<string, string>>
}

interface Address {
  readonly name: string
  readonly service: ServiceName
  readonly host: string
  readonly port: number
  readonly url: string
}

const LOOPBACK = '127.0.0.1'

function addressesOf({ host, port, basePort, copies }: ClusterSettings): Address[] {
  const names = serviceNames.flatMap((service) => Array.from({ length: copies }, (_, index) => ({ service, name: `${service}-${index + 1}` })))
  let next = basePort
  return names.map(({ service, name }) => {
    const own = name === 'gateway-1' ? { host, port } : { host: LOOPBACK, port: next++ }
    return { name, service, ...own, url: `http://${own.host}:${own.port}` }
  })
}

const variableOf = (service: string): string => `${service.toUpperCase().replaceAll('-', '_')}_URLS`

/** Who runs where, and with which settings beside those of the infrastructure and the keys. */
export function planCluster(settings: ClusterSettings): Member[] {
  const addresses = addressesOf(settings)
  const urls = Object.fromEntries(
    [...Map.groupBy(addresses, ({ service }) => service)].map(([service, list]) => [variableOf(service), list.map(({ url }) => url).join(',')]),
  )
  return addresses.map(({ name, service, host, port, url }) => ({
    name,
    service,
    port,
    url,
    env: {
      ...urls,
      ...ownFolders(settings.dataRoot, name, service),
      SERVICE_INSTANCE: name,
      HOST: host,
      PORT: String(port),
      // Nobody balances the load before these processes, so nobody has to notice that one is going.
      READINESS_DELAY_MS: '0',
    },
  }))
}

/** Folders that two processes must not share, and the data sets, which they must. */
function ownFolders(dataRoot: string, name: string, service: ServiceName): Record<string, string> {
  const own = join(dataRoot, 'cluster', name)
  if (service === 'inference') return { INFERENCE_POD: name, INFERENCE_CACHE_DIR: own }
  if (service === 'trainer')
    return { TRAINER_SCRATCH: own, TRAINER_DATA_ROOTS: join(dataRoot, 'datasets'), TRAINER_BACKBONE_ROOTS: join(dataRoot, 'backbones') }
  return {}
}
