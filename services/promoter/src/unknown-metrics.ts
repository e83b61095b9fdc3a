import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import { metricsOf, readRun } from './evidence.ts'
import { type GatherDeps, readOverview, readVersion } from './gather-facts.ts'

const ASK_MS = 5000

/**
 * Metrics of a policy that the run of the model's newest version does not have, one sentence each: no version that is trained like it could pass. Empty while
 * the model has no version or its run logged nothing, because then nobody can know.
 * @throws TransientError when the registry or tracking does not answer
 */
export async function unknownMetrics(deps: Pick<GatherDeps, 'registry' | 'tracking'>, model: string, { metrics }: PromotionPolicy): Promise<string[]> {
  const asked = Object.keys(metrics)
  if (asked.length === 0) return []
  const signal = AbortSignal.timeout(ASK_MS)
  const overview = await readOverview(deps, model, signal)
  const newest = Math.max(0, ...(overview?.versions ?? []).map(({ version }) => Number(version)))
  const detail = newest === 0 ? null : await readVersion(deps, model, String(newest), signal)
  const known = Object.keys(metricsOf(detail && (await readRun(deps, detail.runId, signal)))).sort((a, b) => (a < b ? -1 : 1))
  if (known.length === 0) return []
  const unknown = asked.filter((name) => !known.includes(name))
  return unknown.map((name) => `metrics[${JSON.stringify(name)}]: the run of version ${newest} has no metric of this name; it has ${known.join(', ')}`)
}
