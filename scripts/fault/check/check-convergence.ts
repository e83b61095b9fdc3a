import { type Evidence, type Violation, violation } from './evidence.ts'

/** I6: in the end every pod that lives serves what the registry says. */
export function checkConvergence({ registry, served }: Evidence): Violation[] {
  const pods = [...new Set(served.map(({ pod }) => pod))]
  return registry.flatMap(({ model, generation, version }) =>
    pods.flatMap((pod) => {
      const found = served.find((entry) => entry.pod === pod && entry.model === model)
      if (version === null || (found?.generation === generation && found.version === version)) return []
      const actual = found ? `version ${found.version} of generation ${found.generation}` : 'nothing'
      return [violation('I6', `${pod} serves ${actual} of ${model}, the registry says version ${version} of generation ${generation}`)]
    }),
  )
}
