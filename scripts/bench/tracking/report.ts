import type { Machine } from '../machine.ts'
import type { Spread } from '../percentile.ts'
import type { ArtifactFigures } from './artifacts.ts'
import type { LoggingFigures } from './logging.ts'
import type { ReadingFigures } from './reading.ts'

/** What was measured of one server. */
export interface Figures {
  readonly logging: LoggingFigures
  /** All of a thousand runs with ten metrics and ten params each. */
  readonly thousand: Spread
  readonly reading: ReadingFigures | null
  readonly artifacts: ArtifactFigures
}

export interface Results {
  readonly command: string
  readonly startedAt: string
  readonly machine: Machine
  readonly seededRuns: number
  readonly seededPoints: number
  readonly artifactBytes: number
  readonly tracking: Figures
  readonly allInOne: Figures
  /** Null where no reference server was named. */
  readonly reference: { readonly version: string; readonly figures: Figures } | null
}

interface Line {
  readonly what: string
  readonly target: string
  readonly read: (figures: Figures) => number | null | undefined
  readonly show: (value: number) => string
  /** Whether more is better. */
  readonly rate?: boolean
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} ms`
const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const mibs = (value: number): string => `${count(value)} MiB/s`

const lines = ({ seededRuns, seededPoints, artifactBytes }: Results): Line[] => [
  { what: 'log-metric, one client, p50', target: '≤ 1 ms', read: ({ logging }) => logging.logMetric.p50, show: ms },
  { what: 'log-metric, one client, p99', target: '–', read: ({ logging }) => logging.logMetric.p99, show: ms },
  { what: 'log-batch of 1,000 metrics, p50', target: '≤ 12 ms', read: ({ logging }) => logging.logBatch.p50, show: ms },
  { what: 'runs/create, p50', target: '–', read: ({ logging }) => logging.createRun.p50, show: ms },
  { what: '16 clients, log-metric per second', target: '≥ 3,000', read: ({ logging }) => logging.logMetricRate, show: count, rate: true },
  { what: '16 clients, metrics per second in batches of 1,000', target: '≥ 100,000', read: ({ logging }) => logging.metricsRate, show: count, rate: true },
  { what: 'runs/search, 1,000 runs with 10 metrics and 10 params each, p50', target: '≤ 100 ms', read: ({ thousand }) => thousand.p50, show: ms },
  { what: `search among ${count(seededRuns)} runs, selective filter, p99`, target: '≤ 50 ms', read: ({ reading }) => reading?.selective.p99, show: ms },
  { what: `search among ${count(seededRuns)} runs, weak filter and order, p99`, target: '≤ 150 ms', read: ({ reading }) => reading?.weak.p99, show: ms },
  { what: `history of ${count(seededPoints)} points, page of 25,000, p50`, target: '–', read: ({ reading }) => reading?.page.p50, show: ms },
  { what: `history of ${count(seededPoints)} points, sampled to 2,500, p50`, target: '–', read: ({ reading }) => reading?.sampled.p50, show: ms },
  { what: `upload of ${count(artifactBytes / 2 ** 20)} MiB`, target: '–', read: ({ artifacts }) => artifacts.upload, show: mibs, rate: true },
  { what: `download of ${count(artifactBytes / 2 ** 20)} MiB`, target: '–', read: ({ artifacts }) => artifacts.download, show: mibs, rate: true },
  { what: '… growth of the process meanwhile', target: 'constant', read: ({ artifacts }) => artifacts.grewMib, show: (value) => `${count(value)} MiB` },
]

function rowOf(line: Line, { tracking, allInOne, reference }: Results): string {
  const show = (figures: Figures | undefined): string => {
    const value = figures && line.read(figures)
    return value === null || value === undefined ? '–' : line.show(value)
  }
  const [own, other] = [line.read(tracking), reference && line.read(reference.figures)]
  const ratio = own && other ? `${(line.rate ? own / other : other / own).toFixed(1)} ×` : '–'
  return `| ${[line.what, line.target, show(tracking), show(reference?.figures), ratio, show(allInOne)].join(' | ')} |`
}

/** The section of the page. */
export function renderTracking(results: Results): string {
  const { command, startedAt, machine, reference } = results
  const { cores, model, memoryGib, system, node, load } = machine
  return `## Tracking

Measured by \`${command}\` on ${startedAt.slice(0, 10)}, on one machine: ${cores} × ${model}, ${memoryGib.toFixed(0)} GiB of memory, ${system}, Node ${node}; load average
at the start ${load.toFixed(2)}.

| what | target | Millrace, PostgreSQL | ${reference ? `MLflow ${reference.version}, PostgreSQL` : 'reference'} | ratio | all-in-one |
| --- | --- | --- | --- | --- | --- |
${lines(results)
  .map((line) => rowOf(line, results))
  .join('\n')}

- One process of the tracking service, one worker of the reference server (\`mlflow server --workers 1\`), the same PostgreSQL with its default settings, one after the other; artifacts go to the S3-compatible
  store for Millrace and to a folder for the reference server. The same requests, sent by one process over kept connections. Ratio: how many times better than the reference.
- All-in-one: everything in one process, through the gateway, with the embedded database; searches among many runs and long histories are not measured there.
- The many runs and the long history are written into the tables directly, ten metrics, ten params and two tags to each run; everything else goes through the API.
`
}
