import { servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { type Evidence, type Violation, violation } from './evidence.ts'

/** I1: at most one Production version of a model at every instant; its generations grow by one, in the order of the commits. */
export function checkGenerations({ outbox, productionCounts, registry }: Evidence): Violation[] {
  const crowded = productionCounts.filter(({ count }) => count > 1)
  const states = outbox.filter(({ type }) => type === servingStateChanged.type).sort((a, b) => a.seq - b.seq)
  const byModel = Map.groupBy(states, ({ key }) => key)
  const gaps = [...byModel].flatMap(([model, rows]) => {
    const generations = rows.map(({ payload }) => Number(payload['generation']))
    const wrong = generations.findIndex((generation, index) => generation !== index + 1)
    return wrong < 0 ? [] : [violation('I1', `${model}: generations are ${generations.join(', ')}, expected 1, 2, 3 … in the order of the commits`)]
  })
  const behind = registry.flatMap(({ model, generation }) => {
    const published = byModel.get(model)?.length ?? 0
    return generation === published ? [] : [violation('I1', `${model}: the registry is at generation ${generation}, ${published} were published`)]
  })
  return [...crowded.map(({ model, count }) => violation('I1', `${model}: ${count} versions in Production at once`)), ...gaps, ...behind]
}
