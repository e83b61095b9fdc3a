import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeyCreated } from '@millrace/contracts/http/gateway.ts'
import type { Started } from '@millrace/platform/component.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { createLog } from '@millrace/platform/log.ts'
import type { Service } from '@millrace/platform/service.ts'
import { type DataDirectory, prepareDataDirectory } from '../data-directory.ts'
import { startMillrace } from '../start-millrace.ts'

const ADMIN_KEY = 'k'.repeat(40)

export interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Asking {
  readonly body?: unknown
  /** Sent as it is, in place of a JSON body. */
  readonly raw?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Null: nobody shows who they are. */
  readonly key?: string | null
}

/** Sends the path byte by byte as it is written: other clients tidy it up. */
export type Send = (method: string, path: string, asking?: Asking) => Promise<Told>

export interface GuardedMillrace {
  readonly url: string
  readonly directory: DataDirectory
  readonly services: readonly Service[]
  /** As the administrator. */
  readonly send: Send
  readonly keyOf: (name: string, role: 'viewer' | 'user' | 'editor') => Promise<string>
}

interface GuardedOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly outside?: OutsideClient
  /** `key`: as on an address that others reach, everybody shows a key. `local`: as on a developer's machine. */
  readonly door?: 'key' | 'local'
}

/** All seven services behind the real gateway. */
export async function startGuarded({ env = {}, outside, door = 'key' }: GuardedOptions = {}): Promise<Started<GuardedMillrace>> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-security-'))
  const directory = await prepareDataDirectory(root)
  const services: Service[] = []
  const keys = door === 'key' ? { HOST: '0.0.0.0', MILLRACE_ADMIN_KEY: ADMIN_KEY } : {}
  const millrace = await startMillrace({
    ...{ directory, host: '127.0.0.1', port: 0, env: { ...keys, ...env }, log: createLog({ level: 'info', destination: directory.log }) },
    onService: (service) => services.push(service),
    ...(outside ? { outside } : {}),
  })
  const { url } = millrace.value
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const send = createSend(url, agent, door === 'key' ? ADMIN_KEY : null)
  const keyOf = async (name: string, role: string): Promise<string> =>
    apiKeyCreated.parse(JSON.parse((await send('POST', '/api/v1/keys', { body: { name, role } })).text)).key
  const stop = async (): Promise<void> => {
    agent.destroy()
    await millrace.stop()
    await rm(root, { recursive: true, force: true })
  }
  return { value: { url, directory, services, send, keyOf }, stop }
}

const createSend = (url: string, agent: Agent, ownKey: string | null): Send =>
  function send(method, path, { body, raw, headers, key = ownKey } = {}) {
    const { hostname, port } = new URL(url)
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const json = method === 'GET' || raw !== undefined ? {} : { 'content-type': 'application/json' }
    const length = content === undefined ? {} : { 'content-length': String(Buffer.byteLength(content)) }
    const all = { ...json, ...length, ...(key === null ? {} : { 'x-api-key': key }), ...headers }
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path, method, headers: all, agent }, async (response) => {
        const text = Buffer.concat(await response.toArray()).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
      sent.once('error', reject)
      sent.end(content)
    })
  }

/** The text under a path of keys in a JSON answer; `''` where there is none. */
export function textIn({ text }: Told, ...path: readonly string[]): string {
  const value = path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), JSON.parse(text))
  return typeof value === 'string' ? value : ''
}
