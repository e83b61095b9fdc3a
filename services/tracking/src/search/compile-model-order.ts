import type { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import type { SortColumn } from '@millrace/platform/search/keyset.ts'
import { MAX_ORDER_TERMS } from '@millrace/platform/search/parse-order.ts'
import { invalid } from '../refusals.ts'
import { loggedModelRules } from './logged-model-rules.ts'

/** One field to order by; a metric may be limited to a data set. */
export interface ModelOrder {
  readonly fieldName: string
  readonly ascending: boolean
  readonly datasetName: string | null
  readonly datasetDigest: string | null
}

const modelId: SortColumn = { expression: 'm.model_id', type: 'text', ascending: true }
const newestFirst: ModelOrder = { fieldName: 'creation_timestamp', ascending: false, datasetName: null, datasetDigest: null }

/** The columns that logged models are ordered by, and the joins that bring them: each joins at most one row. @throws AppError INVALID_PARAMETER_VALUE */
export function compileModelOrder(orders: readonly ModelOrder[], parameters: SqlParameters): { joins: string[]; columns: SortColumn[] } {
  if (orders.length > MAX_ORDER_TERMS) throw invalid(`\`order_by\` has ${orders.length} fields; at most ${MAX_ORDER_TERMS} are allowed`)
  const joins: string[] = []
  const columns = (orders.length > 0 ? orders : [newestFirst]).map((order, index) => {
    const metric = /^metrics\.(.+)$/s.exec(order.fieldName)?.[1]
    if (metric === undefined) return attributeColumn(order)
    joins.push(joinMetric(order, metric, `o${index}`, parameters))
    const rank = `case when o${index}.value is null then 2 when o${index}.is_nan then 1 else 0 end`
    return { expression: `o${index}.value`, type: 'double precision' as const, ascending: order.ascending, rank }
  })
  return { joins, columns: columns.some((column) => column.expression === modelId.expression) ? columns : [...columns, modelId] }
}

function joinMetric({ datasetName, datasetDigest }: ModelOrder, key: string, alias: string, parameters: SqlParameters): string {
  const name = datasetName ? ` and kv.dataset_name = ${parameters.add(datasetName)}` : ''
  const digest = datasetDigest ? ` and kv.dataset_digest = ${parameters.add(datasetDigest)}` : ''
  return `left join lateral (select kv.value, kv.is_nan from logged_model_metric kv where kv.model_id = m.model_id and kv.key = ${parameters.add(key)}${name}${digest}
    order by kv.step desc, kv.timestamp desc, kv.value desc, kv.is_nan limit 1) ${alias} on true`
}

function attributeColumn({ fieldName, ascending }: ModelOrder): SortColumn {
  const entity = /^([^.]*)\./.exec(fieldName)?.[1]
  if (entity !== undefined && entity !== 'attributes') throw invalid(`Invalid order by field name: ${fieldName}. Only metrics are supported.`)
  const name = fieldName.replace(/^attributes\./, '')
  const field = Object.hasOwn(loggedModelRules.bare.keys, name) ? loggedModelRules.bare.keys[name] : undefined
  if (!field) throw invalid(`Invalid order by field name: ${fieldName}`)
  return { expression: `m.${field.name}`, type: field.value === 'number' || field.name === 'experiment_id' ? 'bigint' : 'text', ascending }
}
