import { carpLike } from './species-carps.ts'
import { predators } from './species-predators.ts'
import type { Species } from './traits.ts'

/** The fifteen freshwater species of the sample, by class name. */
export const speciesCatalogue: readonly Species[] = [...carpLike, ...predators].sort((a, b) => (a.id < b.id ? -1 : 1))

/** @throws RangeError when the catalogue has no such species */
export function speciesById(id: string): Species {
  const found = speciesCatalogue.find((species) => species.id === id)
  if (!found) throw new RangeError(`There is no species '${id}'; the catalogue has ${speciesCatalogue.map((species) => species.id).join(', ')}`)
  return found
}
