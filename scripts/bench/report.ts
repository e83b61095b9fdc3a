import type { Machine } from './machine.ts'
import type { EventFigures } from './measure-events.ts'
import type { OutageFigures } from './measure-outage.ts'
import type { PromotionFigures } from './measure-promotions.ts'
import type { Spread } from './percentile.ts'
import type { Plan } from './plan.ts'

export interface Results {
  readonly command: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly seconds: number
  readonly machine: Machine
  readonly plan: Plan
  readonly promotions: PromotionFigures
  readonly events: EventFigures
  readonly outage: OutageFigures
}

type Row = readonly [what: string, target: string, measured: string]

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : grouped(value)} ms`
const spread = ({ p50, p99, max }: Spread): string => `p50 ${ms(p50)}, p99 ${ms(p99)}, longest ${ms(max)}`
const rowOf = (row: Row): string => `| ${row.join(' | ')} |`

function promotionRows({ promotions, pods, everyPodMs, loadingMs, load }: PromotionFigures, plan: Plan): Row[] {
  const during = `of ${grouped(load.predictions)} predictions during those swaps, ${plan.predictionsPerSecond} per second`
  return [
    [`Promotion committed → every pod answers with the new version: ${promotions} promotions, ${pods} pods`, 'p99 ≤ 250 ms', spread(everyPodMs)],
    ['… of which a pod fetches, tries, opens and warms up the version', '–', spread(loadingMs)],
    [`Failed, ${during}`, '0', String(load.failed)],
    ['Mixed: answered by another version than the answer says', '0', String(load.mixed)],
    ['Stale: answered by the old version after every pod had answered with the new one', '0', String(load.stale)],
    ['Time of a prediction through the gateway during those swaps', '–', spread(load.latencyMs)],
  ]
}

const eventRows = ({ throughput, latency, backlog }: EventFigures): Row[] => [
  [`Events through outbox → Kafka → inbox, ${grouped(throughput.events)} as fast as they go`, '–', `${grouped(throughput.perSecond)} events/s`],
  [`Event committed → handled, at ${latency.perSecond} events/s`, '–', spread(latency.ms)],
  [`Backlog of ${grouped(backlog.events)} events drained`, '–', `${backlog.seconds.toFixed(1)} s`],
]

const outageRows = ({ awaySeconds, events, firstSeconds, allSeconds }: OutageFigures): Row[] => [
  [`Broker away for ${awaySeconds.toFixed(0)} s: from its return to the first event handled`, '≤ 6 s', `${firstSeconds.toFixed(1)} s`],
  [`… to the last of the ${grouped(events)} events committed meanwhile`, '–', `${allSeconds.toFixed(1)} s`],
]

/** The page that people read. */
export function renderReport({ command, startedAt, seconds, machine, plan, promotions, events, outage }: Results): string {
  const rows = [...promotionRows(promotions, plan), ...eventRows(events), ...outageRows(outage)]
  const { cores, model, memoryGib, system, node, load } = machine
  const unwell = load > cores / 4 ? ' The machine was not at rest: these are the figures of a busy one.' : ''
  const faults = promotions.load.reasons.map((reason) => `- \`${reason.replaceAll('`', "'")}\``)
  return `## Promotions, events, an outage

Measured by \`${command}\` on ${startedAt.slice(0, 10)}, in ${grouped(seconds)} s. Everything ran on one machine: ${cores} × ${model}, ${memoryGib.toFixed(0)} GiB of memory,
${system}, Node ${node}; load average at the start ${load.toFixed(2)}.${unwell}

| what | target | measured |
| --- | --- | --- |
${rows.map(rowOf).join('\n')}
${faults.length > 0 ? `\nWhat went wrong with predictions:\n\n${faults.join('\n')}\n` : ''}
### How it is measured

- \`npm run cluster\` runs on Kafka, PostgreSQL, Redis and an S3-compatible store that \`scripts/infra\` starts for this alone: two processes of every service, with the
  settings that they have by default. The load and the two ends of the event path are processes of their own, on the same cores.
- **Promotion.** Each version is new to the pods: they fetch it, try it in a child process, open it and warm it up. The clock starts at \`changedAt\` of the registry's
  serving state and stops when the last pod, asked directly every few milliseconds, has answered with the new version. The models are two numbers in and out, a file of
  174 bytes: what is measured is the platform, not a model.
- **Predictions** are sent at a fixed rate whatever becomes of them (an open loop), each with an input of its own, so that none is answered from a cache. Version v computes v·x + 1,
  which shows whose answer it is. A time counts from the moment at which the request was due.
- **Events.** The platform's own outbox, relay, Kafka client and consumer with inbox; 8 writers, a transaction for each event of 0.6 kB, a topic of 6 partitions; the handler
  writes a row. An event is handled when its effect is committed. The backlog waits in the outbox; the clock starts with relay and consumer.
- **Outage.** The broker's process is stopped and started again while ${plan.eventsPerSecondInOutage} events per second are committed. It has returned when it answers a request (ApiVersions) again. Every event was handled.

To repeat it: \`npm run bench\`, on a machine that does nothing else; \`npm run bench -- --quick\` shows in a minute that everything works.
`
}
