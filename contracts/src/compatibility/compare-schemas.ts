import { type Compare, compareObjects } from './compare-objects.ts'
import { canonical, isRecord, isSchema, type JsonSchema, listOf, type Problem, problem } from './json-schema.ts'
import { type NormalForm, normalForm, resolveReference } from './normal-form.ts'
import { scalarKeywords } from './vocabulary.ts'

/**
 * What keeps `newer` from being a later minor of `older`: readers and writers of both must understand each other in both directions. An object may gain
 * optional properties, texts for people may change, nothing else may.
 */
export function compareSchemas(older: JsonSchema, newer: JsonSchema): readonly Problem[] {
  const inProgress = new Set<string>()
  const compare: Compare = (olderPart, newerPart, path) => {
    const pair = `${canonical(olderPart)} ${canonical(newerPart)}`
    // A definition that contains itself: the pair is being compared already, further up.
    if (inProgress.has(pair)) return []
    inProgress.add(pair)
    const problems = compareResolved(resolveReference(olderPart, older), resolveReference(newerPart, newer), path)
    inProgress.delete(pair)
    return problems
  }

  function compareResolved(olderPart: JsonSchema, newerPart: JsonSchema, path: string): readonly Problem[] {
    const [before, after] = [openOrClosed(olderPart), openOrClosed(newerPart)]
    if (!isRecord(before) || !isRecord(after)) {
      return canonical(before) === canonical(after) ? [] : problem(path, `was ${canonical(before)}, is ${canonical(after)}`)
    }
    const [was, is] = [normalForm(before, older), normalForm(after, newer)]
    const kind = compareKind(was, is, path)
    if (kind.length > 0) return kind
    return [
      ...compareRules(was, is, path),
      ...compareObjects(was.keywords, is.keywords, path, compare),
      ...compareItems(was, is, path, compare),
      ...compareBranches(was, is, path, compare),
    ]
  }

  return compare(older, newer, '$')
}

/** `true` and `{}` allow the same. */
const openOrClosed = (schema: JsonSchema): JsonSchema => (isRecord(schema) && Object.keys(schema).length === 0 ? true : schema)

const kindOf = ({ types, nullable }: NormalForm): string => [...(types.length > 0 ? types : ['any']), ...(nullable ? ['null'] : [])].join(' or ')

function compareKind(was: NormalForm, is: NormalForm, path: string): readonly Problem[] {
  return kindOf(was) === kindOf(is) ? [] : problem(path, `was of type ${kindOf(was)}, is ${kindOf(is)}`)
}

function compareRules(was: NormalForm, is: NormalForm, path: string): readonly Problem[] {
  return ['enum', ...scalarKeywords].flatMap((keyword) => {
    const [before, after] = [was.keywords[keyword], is.keywords[keyword]]
    return canonical(before) === canonical(after) ? [] : problem(path, `'${keyword}' was ${canonical(before)}, is ${canonical(after)}`)
  })
}

function compareItems(was: NormalForm, is: NormalForm, path: string, compare: Compare): readonly Problem[] {
  const items = compare(schemaOrOpen(was.keywords['items']), schemaOrOpen(is.keywords['items']), `${path}[]`)
  const [before, after] = [listOf(was.keywords['prefixItems']), listOf(is.keywords['prefixItems'])]
  if (before.length !== after.length) return [...items, ...problem(path, `'prefixItems' had ${before.length} places, has ${after.length}`)]
  return [...items, ...before.flatMap((item, index) => compare(item, after[index] ?? true, `${path}[${index}]`))]
}

const schemaOrOpen = (value: unknown): JsonSchema => (isSchema(value) ? value : true)

/** Each alternative must have its successor; their order means nothing. */
function compareBranches(was: NormalForm, is: NormalForm, path: string, compare: Compare): readonly Problem[] {
  if (was.branching !== is.branching && was.branches.length + is.branches.length > 0) {
    return problem(path, `was ${was.branching ?? 'one schema'}, is ${is.branching ?? 'one schema'}`)
  }
  if (was.branches.length !== is.branches.length) return problem(path, `had ${was.branches.length} alternatives, has ${is.branches.length}`)
  const free = [...is.branches]
  return was.branches.flatMap((branch, index) => {
    const successor = free.findIndex((candidate) => compare(branch, candidate, path).length === 0)
    if (successor < 0) return problem(`${path}|${index}`, 'this alternative has no successor that agrees with it')
    free.splice(successor, 1)
    return []
  })
}
