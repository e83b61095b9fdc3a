/** What every page needs: elements, and the public API with the key of this tab where one is needed. */

const KEY = 'millrace-api-key'

export const byId = (id) => document.getElementById(id)

/** Text only ever becomes text: nothing that a service says is taken for markup. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

export function callApi(path, options = {}) {
  const key = sessionStorage.getItem(KEY)
  return fetch(path, { ...options, headers: { ...options.headers, ...(key ? { 'x-api-key': key } : {}) } })
}

/** @throws Error with what the API said */
export async function askJson(path, body) {
  const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await callApi(path, sent)
  if (answer.status === 401) askForKey()
  const told = await answer.json().catch(() => ({}))
  if (!answer.ok && path !== '/ready') throw new Error(told.message ?? told.detail ?? `${path} answered ${answer.status}`)
  return told
}

export function askForKey() {
  byId('key-form').hidden = false
  if (sessionStorage.getItem(KEY)) byId('key-message').textContent = 'That key does not hold: unknown, expired or revoked.'
}

export function useKey(key) {
  sessionStorage.setItem(KEY, key)
  byId('key-form').hidden = true
}

/** A table; cells are texts or elements. */
export function table(titles, rows) {
  const head = element('tr', {}, ...titles.map((title) => element('th', {}, title)))
  const lines = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell))))
  return element('div', { className: 'scroll' }, element('table', {}, element('thead', {}, head), element('tbody', {}, ...lines)))
}

export const link = (hash, text) => element('a', { href: hash }, text)
