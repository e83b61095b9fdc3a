import type { TrackingConfig } from './config.ts'
import type { KeyValue } from './domain/batch.ts'
import { MAX_PARAM_VALUE, MAX_TAG_VALUE, refuseKey, truncate } from './domain/key.ts'
import { invalid, refuseIf } from './refusals.ts'

/** @throws AppError INVALID_PARAMETER_VALUE naming the first bad one, such as `tags[3].key` */
export const checkTags = (tags: readonly KeyValue[], config: TrackingConfig): KeyValue[] => checkAll(tags, 'tags', MAX_TAG_VALUE, config)
export const checkParams = (params: readonly KeyValue[], config: TrackingConfig): KeyValue[] => checkAll(params, 'params', MAX_PARAM_VALUE, config)

/** One that came by itself: its fields are `key` and `value`. */
export const checkTag = (tag: KeyValue, config: TrackingConfig): KeyValue => checkOne(tag, '', MAX_TAG_VALUE, config)
export const checkParam = (param: KeyValue, config: TrackingConfig): KeyValue => checkOne(param, '', MAX_PARAM_VALUE, config)

const checkAll = (list: readonly KeyValue[], name: string, limit: number, config: TrackingConfig): KeyValue[] =>
  list.map((pair, index) => checkOne(pair, `${name}[${index}].`, limit, config))

function checkOne({ key, value }: KeyValue, prefix: string, limit: number, config: TrackingConfig): KeyValue {
  refuseIf(refuseKey(key, `${prefix}key`))
  const cut = truncate(value, limit)
  if (cut !== value && !config.TRACKING_TRUNCATE_LONG_VALUES) throw invalid(`'${prefix}value' exceeds the maximum length of ${limit} characters`)
  return { key, value: cut }
}
