const UNDER_MODELS = /^\/(?:v2\/|v1\/|v2\/repository\/|api\/v1\/serving\/)?models\/([^/:]+)/
/** Longer than any model's name: not worth telling from others. */
const MAX_LENGTH = 256

/**
 * Which model a prediction is for, by its path and query; '' where these do not say, as with the only or the default model. Enough to keep models apart
 * in limits: the pod decides which model it really is.
 */
export function modelOf(path: string, query: string): string {
  const inPath = UNDER_MODELS.exec(path)?.[1]
  if (inPath !== undefined) return decoded(inPath).slice(0, MAX_LENGTH)
  if (query === '') return ''
  return (new URLSearchParams(query).get('model') ?? '').slice(0, MAX_LENGTH)
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
