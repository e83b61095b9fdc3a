import { request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly type: string
  /** The whole body: problem+json, MLflow's error or the Open Inference Protocol's. */
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly body?: string | FormData
  readonly headers?: Record<string, string>
}

/** Sends a request as it is written. A JSON content type goes with a text unless another is given. */
export async function ask(url: string, path: string, { method = 'GET', body, headers }: Ask = {}): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() }
}

/** As `ask`, for paths that `fetch` would tidy up before it sends them. */
export function askRaw(url: string, path: string, method = 'GET', body = ''): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString()
      resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text })
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

/** A form with one file. */
export function fileForm(content: Uint8Array, field = 'file'): FormData {
  const form = new FormData()
  form.set(field, new Blob([Uint8Array.from(content)]), 'picture.jpg')
  return form
}
