import { AppError } from '@millrace/platform/errors.ts'
import { decodePageToken, encodePageToken, type SortColumn } from '@millrace/platform/search/keyset.ts'
import { parseFilter } from '@millrace/platform/search/parse-filter.ts'
import { type OrderTerm, parseOrderBy } from '@millrace/platform/search/parse-order.ts'
import { type FieldRule, numeric, presence, type SearchRules, spellings, textual } from '@millrace/platform/search/search-rules.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { ModelRow } from './store/models.ts'
import { type Found, modelSort, searchModels, searchVersions, versionSort } from './store/search.ts'
import type { VersionRow } from './store/versions.ts'

export interface SearchRequest {
  readonly filter: string
  readonly orderBy: readonly string[]
  readonly pageToken: string | null
  readonly maxResults: number
  /** Names of the models that the caller may see; null for all. */
  readonly visible: readonly string[] | null
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Null where this was the last page. */
  readonly nextPageToken: string | null
}

const tag = { kind: 'open', entity: 'tag', field: { name: '', value: 'string', comparators: [...textual, ...presence] } } as const
const text = (name: string): FieldRule => ({ name, value: 'string', comparators: textual })
const sortable = (name: string): FieldRule => ({ name, value: 'number', comparators: [], orderable: true })

const modelKeys = {
  kind: 'closed',
  entity: 'attribute',
  keys: { ...spellings({ ...text('name'), orderable: true }), ...spellings(sortable('last_updated_timestamp'), 'timestamp') },
} as const

/** What registered models can be searched and ordered by. */
export const modelRules: SearchRules = { entities: { attribute: modelKeys, attributes: modelKeys, tag, tags: tag }, bare: modelKeys }

const versionKeys = {
  kind: 'closed',
  entity: 'attribute',
  keys: {
    ...spellings({ ...text('name'), orderable: true }),
    ...spellings(text('source_path')),
    ...spellings({ name: 'run_id', value: 'string', comparators: [...textual, 'IN'] }),
    ...spellings({ name: 'version_number', value: 'number', comparators: numeric, quotedNumber: true, orderable: true }),
    ...spellings({ name: 'stage', value: 'string', comparators: ['=', '!='] }, 'current_stage'),
    ...spellings(sortable('creation_timestamp')),
    ...spellings(sortable('last_updated_timestamp')),
  },
} as const

/** What model versions can be searched and ordered by; `stage` is for older clients. */
export const versionRules: SearchRules = {
  entities: { attribute: versionKeys, attributes: versionKeys, tag, tags: tag },
  bare: versionKeys,
  listRefusal: "Only the 'run_id' attribute supports comparison with a list of quoted string values.",
}

export const findModels = (sql: Sql, request: SearchRequest): Promise<Page<ModelRow>> => {
  const columns = columnsOf(parseOrderBy(request.orderBy, modelRules), modelSort, [['name', true]])
  return findPage(request, modelRules, columns, (query) => searchModels(sql, query))
}

export const findVersions = (sql: Sql, request: SearchRequest): Promise<Page<VersionRow>> => {
  const last: [string, boolean][] = [
    ...(request.orderBy.length > 0 ? [] : [['last_updated_timestamp', false] as [string, boolean]]),
    ['name', true],
    ['version_number', false],
  ]
  const columns = columnsOf(parseOrderBy(request.orderBy, versionRules), versionSort, last)
  return findPage(request, versionRules, columns, (query) => searchVersions(sql, query))
}

/** The caller's order, then whatever makes it one without ties. */
function columnsOf(
  terms: readonly OrderTerm[],
  sort: Readonly<Record<string, Omit<SortColumn, 'ascending'>>>,
  last: readonly [string, boolean][],
): SortColumn[] {
  const named = new Set(terms.map((term) => term.key))
  const all = [...terms.map((term) => [term.key, term.ascending] as const), ...last.filter(([key]) => !named.has(key))]
  return all.map(([key, ascending]) => {
    const column = sort[key]
    if (!column) throw new AppError('INVALID_PARAMETER_VALUE', `Invalid order by key '${key}'. Valid keys are: ${Object.keys(sort).join(', ')}`)
    return { ...column, ascending }
  })
}

async function findPage<Row>(
  request: SearchRequest,
  rules: SearchRules,
  columns: readonly SortColumn[],
  search: (query: Parameters<typeof searchModels>[1]) => Promise<Found<Row>[]>,
): Promise<Page<Row>> {
  const after = decodePageToken(request.pageToken, columns)?.key ?? null
  const found = await search({ conditions: parseFilter(request.filter, rules), visible: request.visible, columns, after, limit: request.maxResults + 1 })
  const rows = found.slice(0, request.maxResults)
  const last = found.length > request.maxResults ? rows.at(-1) : undefined
  return { rows, nextPageToken: last ? encodePageToken(last.sort_key) : null }
}
