import type { Token } from './tokenize.ts'

/** Walks through tokens once, in order. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get length(): number {
    return this.#tokens.length
  }

  peek(): Token | null {
    return this.#tokens[this.#position] ?? null
  }

  next(): Token | null {
    const token = this.peek()
    if (token) this.#position++
    return token
  }

  /** Takes the next token if it is this word, in any case. */
  takeWord(word: string): boolean {
    const token = this.peek()
    const taken = token?.kind === 'word' && token.text.toUpperCase() === word
    if (taken) this.#position++
    return taken
  }

  /** Takes the next token if it is this punctuation mark. */
  takeMark(mark: string): boolean {
    const token = this.peek()
    const taken = token?.kind === 'punctuation' && token.text === mark
    if (taken) this.#position++
    return taken
  }

  indexOf(mark: string): number {
    return this.#tokens.findIndex((token) => token.kind === 'punctuation' && token.text === mark)
  }
}
