import { Readable } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'

/** A server that speaks MLflow's REST API; all are asked with the same requests. */
export interface Target {
  /** The answer's body. @throws Error with the answer when the status is not 200 */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<string>
  /** Raw, for artifacts. */
  request(options: { method: 'GET' | 'PUT'; path: string; body?: AsyncIterable<Uint8Array> }): Promise<Dispatcher.ResponseData>
  close(): Promise<void>
}

export const API = '/api/2.0/mlflow'
const CONNECTIONS = 64
const TIMEOUT_MS = 600_000

export function openTarget(url: string, authorize: () => Promise<Record<string, string>>): Target {
  const pool = new Pool(url, { connections: CONNECTIONS, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
  return {
    async ask(method, path, body) {
      const headers = { ...(await authorize()), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
      const answer = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`)
      return text
    },
    async request({ method, path, body }) {
      const headers = { ...(await authorize()), 'content-type': 'application/octet-stream' }
      return pool.request({ method, path, headers, ...(body ? { body: Readable.from(body) } : {}) })
    },
    close: () => pool.close(),
  }
}
