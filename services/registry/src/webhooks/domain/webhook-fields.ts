const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i
const SCHEME = /^([a-z][a-z0-9+.-]*):/i

export const MAX_URL = 2048
export const MAX_DESCRIPTION = 1000
export const MAX_SECRET = 1000

/** Null where the name is fine; otherwise the text that MLflow's clients know. */
export function problemOfWebhookName(name: string): string | null {
  if (NAME.test(name)) return null
  return `Webhook name '${name}' is invalid. It must start and end with a letter or digit, be at most 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).`
}

/** What can be said of a URL without asking anybody; null where it is fine. Whether its host may be called is told by resolving it. */
export function problemOfWebhookUrl(url: string): string | null {
  if (url.trim() === '') return `Webhook URL cannot be empty or just whitespace: '${url}'`
  if (url.length > MAX_URL) return `'url' exceeds the maximum length of ${MAX_URL} characters`
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase() ?? ''
  if (scheme !== 'https') return `Invalid webhook URL scheme: '${scheme}'. Allowed schemes are: https.`
  if (/[\s\p{Cc}\\]/u.test(url) || !url.isWellFormed())
    return `Invalid webhook URL '${url}': spaces, control characters and backslashes must be percent-encoded`
  if (!/^https:\/\/[^/?#]/i.test(url)) return `Webhook URL must include a hostname: '${url}'`
  const parsed = URL.parse(url)
  if (!parsed) return `Invalid webhook URL '${url}': it cannot be read as a URL`
  // Not shown again: messages may end up in logs.
  if (parsed.username || parsed.password) return 'Invalid webhook URL: leave user name and password out of it; a secret signs what is sent'
  return null
}
