import { z } from 'zod'
import { renderMarkdown, textToHtml } from './render-markdown.ts'

const json = z.record(z.string(), z.unknown())
const parameter = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  description: z.string().default(''),
  schema: json.default({}),
})
const media = z.record(z.string(), z.looseObject({ schema: json.optional() })).default({})
const operation = z.looseObject({
  tags: z.array(z.string()).default([]),
  summary: z.string().default(''),
  description: z.string().default(''),
  parameters: z.array(parameter).default([]),
  requestBody: z.looseObject({ content: media }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string().default(''), content: media })).default({}),
  security: z.array(z.unknown()).optional(),
})
const document = z.looseObject({
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string().default('') }),
  tags: z.array(z.looseObject({ name: z.string(), description: z.string().default('') })).default([]),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: json.default({}) }).optional(),
  'x-missing-services': z.array(z.string()).default([]),
})
type Operation = z.infer<typeof operation>

interface Entry {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a2230;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #d5dbe5}code,pre{font:13px/1.45 ui-monospace,monospace;background:#f3f5f9}pre{padding:.7rem;overflow:auto;max-height:24rem}
details{border:1px solid #d5dbe5;border-radius:6px;margin:.4rem 0;padding:.35rem .7rem}summary{cursor:pointer}summary b{display:inline-block;width:4.2rem}
table{border-collapse:collapse;margin:.6rem 0}td,th{border:1px solid #d5dbe5;padding:.2rem .6rem;text-align:left;vertical-align:top}.muted{color:#5a6577}
@media(prefers-color-scheme:dark){body{background:#12161d;color:#dfe5ee}code,pre{background:#1d2430}details,td,th,h2{border-color:#364154}.muted{color:#98a4b8}a{color:#8ab4ff}}`

/** An OpenAPI document as one page without scripts and without anything from elsewhere. Everything in it is text, whatever the document says. */
export function renderPage(source: unknown): string {
  const { info, tags, paths, components, 'x-missing-services': missing } = document.parse(source)
  const entries = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, found]) => ({ path, method, operation: found })))
  const byTag = Map.groupBy(entries, (entry) => entry.operation.tags[0] ?? 'other')
  const named = new Map(tags.map(({ name, description }) => [name, description]))
  const order = [...new Set([...named.keys(), ...byTag.keys()])].filter((tag) => byTag.has(tag))
  const links = order.map((tag) => `<a href="#${textToHtml(tag)}">${textToHtml(tag)}</a>`).join(' · ')
  const absent = missing.length === 0 ? '' : `<p><strong>Not answering now, and left out: ${textToHtml(missing.join(', '))}.</strong></p>`
  const sections = order.map((tag) => renderSection(tag, named.get(tag) ?? '', byTag.get(tag) ?? []))
  const title = textToHtml(`${info.title} API`)
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>`
  const about = `<h1>${title}</h1><p class="muted">Version ${textToHtml(info.version)} · the same for programs: <a href="/api/v1/openapi.json">openapi.json</a></p>`
  const errors = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) => `<h3 id="schema-${textToHtml(name)}">${textToHtml(name)}</h3>${block(schema)}`,
  )
  return `${head}<body>${about}${absent}${renderMarkdown(info.description)}<p>${links}</p>${sections.join('')}<h2>Schemas</h2>${errors.join('')}</body></html>`
}

const renderSection = (tag: string, description: string, entries: readonly Entry[]): string =>
  `<section><h2 id="${textToHtml(tag)}">${textToHtml(tag)}</h2><p class="muted">${textToHtml(description)}</p>${entries.map(renderOperation).join('')}</section>`

function renderOperation({ path, method, operation: found }: Entry): string {
  const open = found.security?.length === 0 ? ' <span class="muted">(no key needed)</span>' : ''
  const heading = `<summary><b>${textToHtml(method.toUpperCase())}</b> <code>${textToHtml(path)}</code> ${textToHtml(found.summary)}${open}</summary>`
  const bodies = Object.entries(found.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body <code>${textToHtml(type)}</code></p>${block(schema ?? {})}`,
  )
  const description = found.description === '' ? '' : `<p>${textToHtml(found.description)}</p>`
  return `<details>${heading}${description}${renderParameters(found)}${bodies.join('')}${renderResponses(found)}</details>`
}

function renderParameters({ parameters }: Operation): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(({ name, in: place, required, description, schema }) =>
    row([
      `<code>${textToHtml(name)}</code>`,
      `${textToHtml(place)}${required ? '' : ', optional'}`,
      textToHtml(String(schema['type'] ?? '')),
      textToHtml(description),
    ]),
  )
  return `<table>${row(['parameter', 'in', 'type', ''])}${rows.join('')}</table>`
}

function renderResponses({ responses }: Operation): string {
  const rows = Object.entries(responses).map(([status, { description, content }]) =>
    row([textToHtml(status), textToHtml(description), `<code>${textToHtml(Object.keys(content).join(', '))}</code>`]),
  )
  const answered = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  const schemas = answered.flatMap(([, { content }]) => Object.values(content).flatMap(({ schema }) => (schema ? block(schema) : [])))
  return `<table>${row(['status', 'meaning', 'content'])}${rows.join('')}</table>${schemas.join('')}`
}

const row = (cells: readonly string[]): string => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
const block = (value: unknown): string => `<pre>${textToHtml(JSON.stringify(value, null, 2))}</pre>`
