import { rewrittenEntries } from './append-only.ts'
import { checkDigests, goldenEvents, publishedSchemas } from './digest-list.ts'
import { checkEventHistories, readEventSchemas } from './event-history.ts'

/** Everything that breaks a promise to readers of events: a published schema or golden event changed, or a minor that is not compatible with its forerunners. */
export function brokenPromises(root: string): readonly string[] {
  const lists = [publishedSchemas, goldenEvents]
  return [...lists.flatMap((list) => [...checkDigests(root, list), ...rewrittenEntries(root, list)]), ...checkEventHistories(readEventSchemas(root))]
}

export function keepsItsPromises(root: string): boolean {
  const problems = brokenPromises(root)
  for (const line of problems) process.stderr.write(`${line}\n`)
  return problems.length === 0
}
