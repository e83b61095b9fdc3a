import fc from 'fast-check'

/** Values at which readers of JSON have stumbled. `raw` texts are no JSON, or JSON that means something else to another reader. */
const evil = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', ' ', 0, -0, -1, 1e308, -1e308, 1e-320, 2 ** 53, 9007199254740991, -9007199254740991, 1.5, [], {}, [[]], [null], {}),
  fc.constantFrom('NaN', 'Infinity', '1e999', '0x10', '9223372036854775808', '-9223372036854775809', '99999999999999999999', '١٢'),
  fc.constantFrom(
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff',
    '\u202e',
    '../../etc/passwd',
    '%2e%2e%2f',
    "'; drop table run; --",
    '{{7*7}}',
    '<script>',
    'file:///etc',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(10_000), 'ü'.repeat(3000), '2026-13-45T99:99:99Z'),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.double(),
  fc.integer(),
  fc.jsonValue({ maxDepth: 3 }),
)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every place in a value, the value itself included, as paths of keys. */
function placesIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]]
  return [[], ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner).map((path) => [key, ...path]))]
}

function changeAt(value: unknown, [key, ...rest]: readonly string[], change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value)
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? changeAt(item, rest, change) : item))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === key ? changeAt(inner, rest, change) : inner]))
}

/** A list of itself, an object of itself, or nothing at all. */
const twists: readonly ((old: unknown) => unknown)[] = [
  (old) => [old],
  (old) => ({ value: old }),
  (old) => (Array.isArray(old) ? [...old, ...old] : String(old)),
  () => undefined,
  (old) => (isObject(old) ? Object.fromEntries(Object.keys(old).map((key) => [key.toUpperCase(), old[key]])) : old),
]

/** The texts of bodies that are valid but for up to three changes: another value, another shape, a field that is gone or doubled, a text that ends early. */
export function mutatedJson(valid: unknown): fc.Arbitrary<string> {
  const places = placesIn(valid)
  const change = fc.record({
    place: fc.constantFrom(...places),
    to: fc.oneof({ weight: 3, arbitrary: evil.map((value) => () => value) }, fc.constantFrom(...twists)),
  })
  const changed = fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => JSON.stringify(changes.reduce((body, { place, to }) => changeAt(body, place, to), valid) ?? null))
  return fc.oneof({ weight: 12, arbitrary: changed }, brokenText(JSON.stringify(valid)))
}

/** No JSON any more, or with the same key twice. */
const brokenText = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.nat(text.length).map((end) => text.slice(0, end)),
    fc.tuple(fc.nat(text.length), fc.string({ unit: 'binary', maxLength: 5 })).map(([at, inserted]) => text.slice(0, at) + inserted + text.slice(at)),
    fc.constantFrom(
      `${'['.repeat(100_000)}`,
      `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
      '{"a":1,"a":2}',
      text.replace('{', '{"__proto__":{"x":1},'),
      text.replace(/}$/, `,${text.slice(1)}`),
    ),
  )
