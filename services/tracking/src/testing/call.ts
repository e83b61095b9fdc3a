/** An answer as a test looks at it. `json` is compared with `toEqual` and `toMatchObject`; `text` is a value read out of it. */
export interface Answer {
  readonly status: number
  readonly json: unknown
  readonly headers: Headers
  readonly bytes: Buffer
  /** The value under a path of keys, as text; `''` where there is none. */
  text(...path: readonly (string | number)[]): string
}

export interface CallOptions {
  readonly body?: unknown
  /** Sent as it is, in place of a JSON body. */
  readonly raw?: Uint8Array | ReadableStream
  readonly headers?: Readonly<Record<string, string>>
}

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>

const lookUp = (value: unknown, key: string | number): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)

/** Calls a service as somebody. A path that does not begin with `/` is one of MLflow's. */
export function createCaller(url: string, sign: () => Promise<string>): Call {
  return async function call(method, path, options = {}) {
    const headers = { authorization: `Bearer ${await sign()}`, ...(options.raw || options.body === undefined ? {} : { 'content-type': 'application/json' }) }
    const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
    const target = path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`
    const request: RequestInit & { duplex: 'half' } = { method, headers: { ...headers, ...options.headers }, body: body ?? null, duplex: 'half' }
    return readAnswer(await fetch(`${url}${target}`, request))
  }
}

async function readAnswer(response: Response): Promise<Answer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const json: unknown = response.headers.get('content-type')?.includes('json') ? JSON.parse(bytes.toString()) : undefined
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    json,
    text: (...path) => String(path.reduce(lookUp, json) ?? ''),
  }
}
