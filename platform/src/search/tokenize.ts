import { type Identifier, refuse } from './search-rules.ts'

export type Token = { readonly text: string } & (
  | { readonly kind: 'word' | 'operator' | 'punctuation' | 'unknown' }
  | { readonly kind: 'dotted'; readonly identifier: Identifier }
  | { readonly kind: 'quoted'; readonly quote: Quote; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
)
type Quote = "'" | '"' | '`'

/** Longest text that is looked at. */
const MAX_CHARACTERS = 500_000
/** Most tokens in one text; a list of 10,000 ids has twice as many. */
const MAX_TOKENS = 50_000

const SPACE = /\s+/y
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy
const BARE_KEY = /[\p{L}\p{N}_.]+/uy
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.])/uy
const OPERATOR = /[=!<>~]+/y
/** A doubled quote does not end the text and stays doubled: there are no escapes. */
const QUOTED = { "'": /'(?:[^']|'')*'/y, '"': /"(?:[^"]|"")*"/y, '`': /`[^`]*`/y } as const
const PUNCTUATION = '(),;'

/** Splits a filter or order text in one pass without looking back. @throws AppError INVALID_PARAMETER_VALUE for a text that is too long */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_CHARACTERS) throw refuse(`The filter has ${text.length} characters; at most ${MAX_CHARACTERS} are allowed`)
  if (text.includes('\0')) throw refuse('The filter holds a NUL character, which no stored text can hold')
  const tokens: Token[] = []
  for (let position = 0; position < text.length; ) {
    const space = match(SPACE, text, position)
    if (space) {
      position += space.length
      continue
    }
    const token = readToken(text, position)
    tokens.push(token)
    if (tokens.length > MAX_TOKENS) throw refuse(`The filter has more than ${MAX_TOKENS} parts`)
    position += token.text.length
  }
  return tokens
}

function match(pattern: RegExp, text: string, position: number): string {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? ''
}

function readToken(text: string, position: number): Token {
  const word = match(WORD, text, position)
  if (word) return readName(text, position, word, word) ?? { kind: 'word', text: word }
  const quoted = readQuoted(text, position)
  if (quoted?.kind === 'quoted') return quoted.quote === "'" ? quoted : (readName(text, position, quoted.text, quoted.value) ?? quoted)
  const number = match(NUMBER, text, position)
  if (number) return { kind: 'number', text: number, value: Number(number) }
  const operator = match(OPERATOR, text, position)
  if (operator) return { kind: 'operator', text: operator }
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0)
  return { kind: PUNCTUATION.includes(character) ? 'punctuation' : 'unknown', text: character }
}

function readQuoted(text: string, position: number): (Token & { kind: 'quoted' }) | null {
  const quote = text.charAt(position)
  if (quote !== "'" && quote !== '"' && quote !== '`') return null
  const found = match(QUOTED[quote], text, position)
  return found ? { kind: 'quoted', text: found, quote, value: found.slice(1, -1) } : null
}

/** `entity.key`, where the key is all that follows the first dot; null where no dot follows. A bare key of digits alone reads as a fraction and is none. */
function readName(text: string, position: number, prefix: string, entity: string): Token | null {
  const dot = position + prefix.length
  if (text.charAt(dot) !== '.') return null
  const quoted = readQuoted(text, dot + 1)
  if (quoted) return { kind: 'dotted', text: `${prefix}.${quoted.text}`, identifier: { entity, key: quoted.value } }
  const bare = match(BARE_KEY, text, dot + 1)
  if (bare === '' || /^\d+$/.test(bare)) return { kind: 'unknown', text: `${prefix}.${bare}` }
  return { kind: 'dotted', text: `${prefix}.${bare}`, identifier: { entity, key: bare } }
}
