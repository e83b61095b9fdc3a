/** The first thing that is wrong with a JSON text. */
export interface JsonProblem {
  readonly position: number
  readonly message: string
}

type Expect = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing'
type Token = { kind: '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'scalar'; start: number; end: number }

const SPACE = /[ \t\n\r]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const INTEGER = /^-?\d+$/

/**
 * Walks a JSON text (RFC 8259) to the first syntax error or the first integer literal that a double cannot hold; null when there is none. Slower than `JSON.parse`: used
 * where a text was refused, to say where, and where digits look suspicious.
 */
export function findJsonProblem(text: string): JsonProblem | null {
  const open: ('{' | '[')[] = []
  let expect: Expect = 'value'
  for (let position = skip(SPACE, text, 0); position < text.length; ) {
    const token = readToken(text, position)
    if ('message' in token) return token
    if (token.kind === 'scalar' && losesDigits(text.slice(token.start, token.end))) {
      return { position, message: 'an integer beyond ±9007199254740991 that would lose digits (send it as a string)' }
    }
    const next = step(expect, token, open)
    if (next === null)
      return { position, message: `unexpected ${JSON.stringify(text.slice(token.start, Math.min(token.end, token.start + 20)))}, expected ${words[expect]}` }
    expect = next
    position = skip(SPACE, text, token.end)
  }
  return expect === 'nothing' ? null : { position: text.length, message: `unexpected end, expected ${words[expect]}` }
}

const words: Record<Expect, string> = {
  value: 'a value',
  'value-or-end': 'a value or "]"',
  key: 'a key in double quotes',
  'key-or-end': 'a key in double quotes or "}"',
  colon: '":"',
  'comma-or-end': '"," or the closing bracket',
  nothing: 'the end',
}

function skip(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position
  return pattern.test(text) ? pattern.lastIndex : -1
}

function skipPlain(text: string, start: number): number {
  let position = start
  for (; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code < 0x20 || code === 0x22 || code === 0x5c) break
  }
  return position
}

/** Whether the literal would silently become another number. What JavaScript itself prints for a large double is fine. */
function losesDigits(literal: string): boolean {
  if (literal.length <= 15 || !INTEGER.test(literal)) return false
  const value = Number(literal)
  if (Number.isSafeInteger(value) || String(value) === literal) return false
  return !Number.isFinite(value) || BigInt(literal) !== BigInt(value)
}

function readToken(text: string, start: number): Token | JsonProblem {
  const character = text.charAt(start)
  switch (character) {
    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ':':
      return { kind: character, start, end: start + 1 }
    case '"':
      return readString(text, start)
    default: {
      const end = skip(SCALAR, text, start)
      return end > start ? { kind: 'scalar', start, end } : { position: start, message: `unexpected ${JSON.stringify(character)}` }
    }
  }
}

function readString(text: string, start: number): Token | JsonProblem {
  for (let position = start + 1; ; ) {
    position = skipPlain(text, position)
    const character = text.charAt(position)
    if (character === '"') return { kind: 'string', start, end: position + 1 }
    if (character === '') return { position, message: 'unexpected end inside a string' }
    if (character !== '\\') return { position, message: 'a control character inside a string (escape it)' }
    const after = skip(ESCAPE, text, position)
    if (after < 0) return { position, message: 'an escape that JSON does not have' }
    position = after
  }
}

/** What may follow `token` where `expect` was due; null where it may not stand. */
function step(expect: Expect, token: Token, open: ('{' | '[')[]): Expect | null {
  const after = (): Expect => (open.length === 0 ? 'nothing' : 'comma-or-end')
  switch (token.kind) {
    case '{':
    case '[':
      if (expect !== 'value' && expect !== 'value-or-end') return null
      open.push(token.kind)
      return token.kind === '{' ? 'key-or-end' : 'value-or-end'
    case '}':
    case ']': {
      const bracket = token.kind === '}' ? '{' : '['
      const mayClose = expect === 'comma-or-end' || expect === (bracket === '{' ? 'key-or-end' : 'value-or-end')
      if (!mayClose || open.pop() !== bracket) return null
      return after()
    }
    case ',':
      return expect === 'comma-or-end' ? (open.at(-1) === '{' ? 'key' : 'value') : null
    case ':':
      return expect === 'colon' ? 'value' : null
    case 'string':
      if (expect === 'key' || expect === 'key-or-end') return 'colon'
      return expect === 'value' || expect === 'value-or-end' ? after() : null
    case 'scalar':
      return expect === 'value' || expect === 'value-or-end' ? after() : null
  }
}
