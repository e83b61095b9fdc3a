import type { Lineage } from '@millrace/contracts/http/registry.ts'

type Graph = NonNullable<Lineage['graph']>
type Node = Graph['nodes'][number]
type Edge = Graph['edges'][number]
interface Part {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
}

const node = (id: string, kind: string, label: string, data: Record<string, unknown> = {}): Node => ({ id, kind, label, data })
const edge = (from: string, to: string, kind: string): Edge => ({ from, to, kind })

/** Lineage as nodes and edges, each pointing from what was first: data, code and environment → run → logged model → version → evaluation → decision → serving. */
export function graphOf(lineage: Lineage): Graph {
  const version = `version:${lineage.model}/${lineage.version}`
  const parts = [
    { nodes: [node(version, 'model-version', `${lineage.model} ${lineage.version}`, { artifact: lineage.artifact })], edges: [] },
    originOf(lineage, version),
    ...(lineage.evaluations ?? []).map((evaluation, index) => evaluationOf(evaluation, index, version)),
    ...(lineage.decisions ?? []).map((decision, index) => decisionOf(decision, index, lineage, version)),
    servingOf(lineage, version),
  ]
  return { nodes: parts.flatMap(({ nodes }) => nodes), edges: parts.flatMap(({ edges }) => edges) }
}

/** Everything before the version. Without a run there is nothing to tell. */
function originOf({ run, datasets, code, environment = {}, loggedModelId = null }: Lineage, version: string): Part {
  const logged = loggedModelId === null ? null : node(`logged-model:${loggedModelId}`, 'logged-model', loggedModelId)
  const toVersion = logged ? [edge(logged.id, version, 'registered-as')] : []
  const loggedNodes = logged ? [logged] : []
  if (!run) return { nodes: loggedNodes, edges: toVersion }
  const runNode = node(`run:${run.runId}`, 'run', run.tags['mlflow.runName'] ?? run.runId, {
    experimentId: run.experimentId,
    params: run.params,
    metrics: run.metrics,
  })
  const inputs = [
    ...datasets.map((dataset, index) => [node(`dataset:${index}`, 'dataset', dataset.name, { ...dataset }), 'read-by'] as const),
    ...(code.commit === null && code.entryPoint === null ? [] : [[node('code', 'code', code.commit ?? code.entryPoint ?? '', { ...code }), 'ran-as'] as const]),
    ...(Object.keys(environment).length === 0 ? [] : [[node('environment', 'environment', 'environment', { ...environment }), 'used-by'] as const]),
  ]
  return {
    nodes: [...inputs.map(([each]) => each), runNode, ...loggedNodes],
    edges: [
      ...inputs.map(([each, kind]) => edge(each.id, runNode.id, kind)),
      logged ? edge(runNode.id, logged.id, 'produced') : edge(runNode.id, version, 'registered-as'),
      ...toVersion,
    ],
  }
}

const evaluationId = (index: number): string => `evaluation:${index}`

const evaluationOf = (evaluation: NonNullable<Lineage['evaluations']>[number], index: number, version: string): Part => ({
  nodes: [node(evaluationId(index), 'evaluation', `gates ${evaluation.outcome}`, { ...evaluation })],
  edges: [edge(version, evaluationId(index), 'evaluated-by')],
})

/** A decision follows the evaluation of the same id, the version itself where there was none. */
function decisionOf(decision: NonNullable<Lineage['decisions']>[number], index: number, { evaluations = [] }: Lineage, version: string): Part {
  const decided = decision.decisionId === null ? -1 : evaluations.findLastIndex(({ decisionId }) => decisionId === decision.decisionId)
  const from = decided < 0 ? version : evaluationId(decided)
  return { nodes: [node(`decision:${index}`, 'decision', decision.kind, { ...decision })], edges: [edge(from, `decision:${index}`, 'decided-by')] }
}

function servingOf({ serving, decisions = [] }: Lineage, version: string): Part {
  const periods = serving?.production ?? []
  const entries = decisions.flatMap(({ kind, at }, index) => (kind === 'promoted' || kind === 'rolled-back-to' ? [{ at, id: `decision:${index}` }] : []))
  const nodes = [
    ...periods.map((period, index) => node(`serving:${index}`, 'serving', 'Production', { ...period })),
    ...(serving?.pods ?? []).map((pod, index) => node(`pod:${index}`, 'pod', `${pod.pod} (${pod.arm})`, { ...pod })),
    ...(serving?.loadFailures ?? []).map((failure, index) => node(`load-failure:${index}`, 'load-failure', `${failure.pod}: ${failure.stage}`, { ...failure })),
  ]
  const periodAt = (at: string): string | undefined => {
    const index = periods.findLastIndex(({ since }) => since <= at)
    return index < 0 ? undefined : `serving:${index}`
  }
  return {
    nodes,
    edges: [
      ...periods.map(({ since }, index) => edge(entries.find(({ at }) => at === since)?.id ?? version, `serving:${index}`, 'served-as')),
      ...(serving?.pods ?? []).map(({ arm, since }, index) =>
        edge((arm === 'production' ? periodAt(since) : undefined) ?? version, `pod:${index}`, 'answered-on'),
      ),
      ...(serving?.loadFailures ?? []).map(({ at }, index) => edge(periodAt(at) ?? version, `load-failure:${index}`, 'failed-on')),
    ],
  }
}
