import { type Runtime, readRuntime } from '../runtime-file.ts'

export type Print = (line: string) => void

/** The addresses that a person pastes into a browser or a client. */
export function urlLines(url: string): string[] {
  const pages: readonly (readonly [string, string])[] = [
    ['Page', '/'],
    ['Predict (POST an image as `file`)', '/predict'],
    ['Open Inference Protocol', '/v2'],
    ['MLflow clients: MLFLOW_TRACKING_URI', ''],
    ['Models', '/api/v1/models'],
    ['Live events (SSE)', '/api/v1/events'],
    ['Health, parts', '/ready'],
  ]
  return pages.map(([name, path]) => `  ${name.padEnd(36)} ${url}${path}`)
}

export async function requireRunning(dataRoot: string): Promise<Runtime> {
  const runtime = await readRuntime(dataRoot)
  if (!runtime) throw new Error(`no Millrace runs on ${dataRoot}: start one with 'npm start', or set MILLRACE_DATA to its folder`)
  return runtime
}

export async function printUrls(dataRoot: string, print: Print): Promise<void> {
  const { url, services } = await requireRunning(dataRoot)
  for (const line of urlLines(url)) print(line)
  print('  Services (loopback, signed calls only):')
  for (const [name, address] of Object.entries(services)) print(`    ${name.padEnd(34)} ${address}`)
}
