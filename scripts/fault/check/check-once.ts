import { modelVersionRegistered } from '@millrace/contracts/events/model-events.ts'
import { runFinished } from '@millrace/contracts/events/run-events.ts'
import { type Evidence, type Violation, violation } from './evidence.ts'

/** I3: one RunFinished for each finish of a run, one decision for each registered version and policy, at most one promotion for each decision. */
export const checkOnce = (evidence: Evidence): Violation[] => [...checkFinishes(evidence), ...checkDecisions(evidence), ...checkPromotions(evidence)]

const FINISH = /^finish\/(.+)$/

function checkFinishes({ client, topics }: Evidence): Violation[] {
  const finished = topics.filter(({ type }) => type === runFinished.type)
  const eventsOf = Map.groupBy(finished, ({ key }) => key)
  const asked = client.flatMap((record) => {
    const runId = record.kind === 'write' && record.outcome !== 'refused' ? FINISH.exec(record.key)?.[1] : undefined
    return runId === undefined ? [] : [{ runId, acked: record.kind === 'write' && record.outcome === 'acked' }]
  })
  return [...Map.groupBy(asked, ({ runId }) => runId)].flatMap(([runId, finishes]) => {
    const said = new Set(eventsOf.get(runId)?.map(({ id }) => id)).size
    const least = finishes.some(({ acked }) => acked) ? 1 : 0
    return said >= least && said <= 1 ? [] : [violation('I3', `run ${runId}: ${said} RunFinished, expected ${least === 1 ? 'one' : 'at most one'}`)]
  })
}

/** Only where the promoter took part: without it nobody decides. */
function checkDecisions({ topics, decisions, poison }: Evidence): Violation[] {
  if (decisions.length === 0) return []
  const byVersion = Map.groupBy(decisions, ({ model, version }) => `${model} ${version}`)
  const real = topics.filter(({ type, id }) => type === modelVersionRegistered.type && !poison.includes(id ?? ''))
  const registered = real.map(({ data }) => `${String(data['model'])} ${String(data['version'])}`)
  const undecided = [...new Set(registered)].filter((version) => !byVersion.has(version))
  const doubled = [...Map.groupBy(decisions, ({ model, version, policyVersion }) => `${model} ${version} under policy ${policyVersion}`)].filter(
    ([, rows]) => rows.length > 1,
  )
  return [
    ...undecided.map((version) => violation('I3', `${version} was registered and never decided on`)),
    ...doubled.map(([name, rows]) => violation('I3', `${name}: ${rows.length} decisions`)),
  ]
}

const checkPromotions = ({ promotions }: Evidence): Violation[] =>
  [...Map.groupBy(promotions, ({ decisionId }) => decisionId)].flatMap(([decisionId, rows]) =>
    rows.length > 1 ? [violation('I3', `decision ${decisionId} promoted ${rows.length} times`)] : [],
  )
