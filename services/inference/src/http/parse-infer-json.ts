import { parseJsonText } from '@millrace/platform/http/json-text.ts'
import { isObject } from '../domain/parse-infer-body.ts'
import { readNumbers } from '../domain/read-numbers.ts'
import { utf8Text } from './read-json.ts'

/** Smaller bodies are parsed before a look at them pays. */
const WORTH_A_LOOK_BYTES = 8192
const MAX_LISTS = 64
const KEY = Buffer.from('"data"')
/** What stands before and between the lists of numbers is a few names and shapes. */
const MAX_SKELETON_BYTES = 65_536

/**
 * The JSON of an inference request. Where it is large because of flat lists of numbers, these are read from its bytes and put into the rest, which is parsed as any JSON is.
 * @throws AppError BAD_REQUEST as `parseJsonText`
 */
export function parseInferJson(content: Buffer): unknown {
  return (content.length >= WORTH_A_LOOK_BYTES ? withNumbers(content) : null) ?? parseJsonText(utf8Text(content))
}

/** Null where the body is of another form: then all of it is for the parser. */
function withNumbers(content: Buffer): unknown {
  const lists: Float64Array[] = []
  const rest: Buffer[] = []
  let from = 0
  let next = 0
  for (let at = content.indexOf(KEY); at >= 0; at = content.indexOf(KEY, next)) {
    next = at + KEY.length
    const value = valueAt(content, next)
    // A tensor of that name.
    if (value === null) continue
    const list = readNumbers(content, value)
    if (!list || lists.length === MAX_LISTS) return null
    lists.push(list.values)
    rest.push(content.subarray(from, value))
    from = next = list.end
  }
  rest.push(content.subarray(from))
  if (lists.length === 0 || rest.reduce((size, part) => size + part.length, 0) > MAX_SKELETON_BYTES) return null
  return putBack(rest.map(utf8Text).join('null'), lists)
}

/** Where the value begins that follows a text which ends at `from`; null where no colon does. */
function valueAt(content: Buffer, from: number): number | null {
  const [colon] = /^[ \t\n\r]*:[ \t\n\r]*/.exec(content.toString('latin1', from, from + 64)) ?? []
  return colon === undefined ? null : from + colon.length
}

/**
 * Each list stands where the skeleton has `null`: no other `data` does, for every one was a list. Null where a list belongs to no input or to one that has two, where a name may
 * be hidden by escapes, and where the JSON is broken: then the parser says where.
 */
function putBack(skeleton: string, lists: readonly Float64Array[]): unknown {
  if (skeleton.includes('\\')) return null
  const body = parsed(skeleton)
  const inputs: readonly unknown[] = isObject(body) && Array.isArray(body['inputs']) ? body['inputs'] : []
  if (!isObject(body) || inputs.filter((input) => isObject(input) && input['data'] === null).length !== lists.length) return null
  let next = 0
  return { ...body, inputs: inputs.map((input) => (isObject(input) && input['data'] === null ? { ...input, data: lists[next++] } : input)) }
}

function parsed(text: string): unknown {
  try {
    return parseJsonText(text)
  } catch {
    return null
  }
}
