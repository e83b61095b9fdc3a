import { bytes, type RouteResponse } from '@millrace/platform/http/route.ts'
import type { Download } from '../artifacts/read-artifact.ts'

/** Types by ending that no browser runs; everything else is bytes. */
const types: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/plain; charset=utf-8',
  png: 'image/png',
  py: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  webp: 'image/webp',
  yaml: 'text/plain; charset=utf-8',
  yml: 'text/plain; charset=utf-8',
}

/** Always as an attachment of a type that the server chose. */
export function downloadResponse({ file, content }: Download): RouteResponse {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  const ending = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : ''
  const type = Object.hasOwn(types, ending) ? types[ending] : undefined
  return bytes(content, {
    'content-type': type ?? 'application/octet-stream',
    'content-length': String(file.sizeBytes),
    'content-disposition': contentDisposition(name),
    'x-content-type-options': 'nosniff',
  })
}

/** RFC 6266: a plain name for old readers, the true one percent-encoded (RFC 8187). */
export function contentDisposition(name: string): string {
  const plain = name.replaceAll(/[^\w.-]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
