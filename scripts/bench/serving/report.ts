import type { Machine } from '../machine.ts'
import type { LoopFigures, Row } from './measure.ts'

export interface ModelFigures {
  readonly what: string
  /** ONNX Runtime alone, one thread, one row at a time. */
  readonly floor: { readonly perSecond: number; readonly p50: number } | null
  readonly rows: readonly Row[]
}

export interface OpenFigures extends LoopFigures {
  readonly perSecond: number
  readonly what: string
}

export interface Results {
  readonly command: string
  readonly startedAt: string
  readonly machine: Machine
  readonly models: readonly ModelFigures[]
  readonly open: readonly OpenFigures[]
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const ms = (value: number): string => (value < 10 ? value.toFixed(1) : count(value))
const shownOr = (value: number | undefined, show: (value: number) => string): string => (value === undefined || Number.isNaN(value) ? '–' : show(value))
const failed = (failures: number): string => (failures > 0 ? ` (${count(failures)} failed)` : '')

function renderModel({ what, floor, rows }: ModelFigures): string {
  const lines = rows.map(({ server, cells, residentMib }) => {
    const shown = cells.map(({ perSecond, p50, p99, failures }) => `${count(perSecond)}${failed(failures)} · ${ms(p50)} · ${ms(p99)}`)
    return `| ${[server, ...shown, shownOr(cells[1]?.cpuMs, (value) => value.toFixed(2)), shownOr(residentMib, count)].join(' | ')} |`
  })
  const alone = floor ? `ONNX Runtime alone, one thread: ${count(floor.perSecond)} rows/s, ${floor.p50.toFixed(2)} ms a row.` : ''
  return `### ${what}

${alone}

| server | 1 connection | 32 connections | 128 connections | CPU ms/request at 32 | memory MiB |
| --- | --- | --- | --- | --- | --- |
${lines.join('\n')}`
}

const renderOpen = (open: readonly OpenFigures[]): string =>
  open
    .map(({ what, perSecond, p50, p99, failures }) => `| ${[what, count(perSecond), ms(p50), ms(p99), (p99 / p50).toFixed(1), String(failures)].join(' | ')} |`)
    .join('\n')

/** The section of the page. */
export function renderServing({ command, startedAt, machine, models, open }: Results): string {
  const { cores, model, memoryGib, system, node, load } = machine
  return `## Serving

Measured by \`${command}\` on ${startedAt.slice(0, 10)}, on one machine: ${cores} × ${model}, ${memoryGib.toFixed(0)} GiB of memory, ${system}, Node ${node}; load average
at the start ${load.toFixed(2)}. Each cell: requests per second · p50 ms · p99 ms, closed loop.

${models.map(renderModel).join('\n\n')}

### Open loop, through gateway and pod

| load | requests/s | p50 ms | p99 ms | p99 / p50 | failed |
| --- | --- | --- | --- | --- | --- |
${renderOpen(open)}

- The same ONNX files, one row per request, JSON in and out, the load sent by one process on the same cores. Two workers or replicas for every peer, one thread each; batching of at most 32 rows where the peer
  offers it. Millrace: \`npm run cluster\` with one process of every service; what is counted as its CPU and memory is gateway and pod. Its prediction cache is off and 1 % of the predictions are logged.
- "Empty proxy": \`node:http\` and undici that pass requests on to a server that answers at once, which is the least that any gateway in Node can cost.
- The peers' environments: in the folder, \`python3 -m venv <name>\` for each of fastapi, mlserver, bentoml, ray and mlflow, and in it \`pip install onnxruntime numpy\` with
  \`fastapi uvicorn uvloop httptools\`, \`mlserver 'uvloop<0.22'\`, \`bentoml\`, \`'ray[serve]'\` or \`mlflow onnx\`.
`
}
