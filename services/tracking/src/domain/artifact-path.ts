/** MLflow's own words first: what it refuses, it calls this. */
export const INVALID_PATH = "Invalid path: expected a relative one without '..', '#', backslashes, control characters or a drive or scheme, also when decoded"

const MAX_ROUNDS = 10
const MAX_CHARACTERS = 1024
/** A drive letter, `file:`, or any URI with an authority. */
const SCHEME = /^(?:[a-z]:|file:|[a-z][a-z0-9+.-]*:\/\/)/i

/**
 * The path under which an artifact is kept: segments joined by single slashes, `''` for the root. Null for one that is refused: whatever hides in it under up
 * to ten rounds of percent-encoding must have no `..` segment, `#`, backslash, control character, scheme, drive letter or leading slash (CVE-2023-6975,
 * CVE-2024-1560 and their like). The encoding itself is kept: `a%20b` is a name.
 */
export function cleanArtifactPath(raw: string): string | null {
  if (raw.length > MAX_CHARACTERS || !hidesNothing(raw)) return null
  const path = normalize(raw)
  // What stood behind a `.` or a slash may now stand at the beginning, where more is refused.
  return hidesNothing(path) ? path : null
}

function hidesNothing(raw: string): boolean {
  let text = raw
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (!isSafe(text)) return false
    const decoded = decodeOnce(text)
    if (decoded === text) return true
    text = decoded
  }
  return false
}

/** One layer of percent-encoding less. Sequences that are not UTF-8 stay as they are but for what is ASCII in them. */
export function decodeOnce(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded.replaceAll(/%[0-7][0-9a-f]/gi, (ascii) => String.fromCharCode(Number.parseInt(ascii.slice(1), 16)))
    }
  })
}

const isSafe = (text: string): boolean => !/[#\\\p{Cc}]/u.test(text) && !SCHEME.test(text) && !text.startsWith('/') && !text.split('/').includes('..')

const normalize = (raw: string): string =>
  raw
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/')

export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/')
