/** More layers of encoding than anybody needs. */
const MAX_LAYERS = 8
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/
const MALFORMED_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/**
 * What makes a path unfit for routing, in words; null when it is fit. A path is looked at under every layer of percent-encoding: what looks like one segment here
 * must not become `..` or another path in a service that decodes once more.
 */
export function findPathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'the request target is not a path'
  let text = path
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const problem = findPlainProblem(text)
    if (problem) return problem
    if (!text.includes('%')) return null
    if (MALFORMED_ESCAPE.test(text)) return layer === 0 ? 'the path has a % that is not followed by two hexadecimal digits' : null
    text = decode(text)
  }
  return 'the path is percent-encoded too many times'
}

/** Byte by byte: whether the bytes are UTF-8 does not matter for what is looked for. */
const decode = (text: string): string => text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

function findPlainProblem(path: string): string | null {
  if (hasControl(path)) return 'the path has a control character'
  if (path.includes('\\')) return 'the path has a backslash'
  if (DOT_SEGMENT.test(path)) return "the path has a '.' or '..' segment, however it is encoded"
  return null
}

function hasControl(path: string): boolean {
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
