import { decodeText } from './binary-tensor.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/** The text whose UTF-8 bytes a base64 string (standard or URL-safe alphabet, padded or not) stands for; null where it is none. */
export function decodeBase64(text: string): string | null {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  if (!BASE64.test(standard)) return null
  return decodeText(Uint8Array.from(atob(standard), (character) => character.charCodeAt(0)))
}
