/** The page that the gateway serves: it asks the same public API as everybody, with the key of this tab where one is needed. */
import { askForKey, askJson, byId, callApi, element, link, table, useKey } from '/dom.js'
import { showPage } from '/pages.js'

const REFRESH_MS = 5000
const RECONNECT_MS = 2000
const SHOWN_EVENTS = 200
const setBadge = (badge, text, kind) => {
  badge.textContent = text
  badge.className = `badge ${kind} ${badge.id === 'live' ? 'small' : ''}`
}

async function showReady() {
  const { ready, parts } = await askJson('/ready')
  setBadge(byId('overall'), ready ? 'all services ready' : 'not everything is ready', ready ? 'good' : 'bad')
  const items = Object.entries(parts).map(([name, part]) =>
    element('li', { className: `badge ${part.ready ? 'good' : 'bad'}` }, `${name} ${part.ready ? '✓' : '…'}`),
  )
  byId('parts').replaceChildren(...items)
}

async function showModels() {
  const { models } = await askJson('/api/v1/models')
  byId('models').replaceChildren(models.length === 0 ? element('p', { className: 'muted' }, 'No model is registered yet.') : modelTable(models))
  const servable = models.filter((model) => model.production).map((model) => model.model)
  const select = byId('model')
  const chosen = select.value
  select.replaceChildren(...servable.map((name) => element('option', { value: name }, name)))
  select.disabled = servable.length === 0
  if (servable.includes(chosen)) select.value = chosen
}

function modelTable(models) {
  const rows = models.map(({ model, production, versions }) => [
    link(`#/models/${encodeURIComponent(model)}`, model),
    production ? `version ${production.version}` : 'nothing',
    production ? new Date(production.since).toLocaleString() : '',
    String(versions.length),
  ])
  return table(['Model', 'In production', 'Since', 'Versions'], rows)
}

async function predict(file) {
  const preview = byId('preview')
  URL.revokeObjectURL(preview.src)
  preview.src = URL.createObjectURL(file)
  preview.hidden = false
  byId('drop-text').hidden = true
  const form = new FormData()
  form.set('file', file)
  const model = byId('model').value
  const answer = await callApi(model ? `/predict?model=${encodeURIComponent(model)}` : '/predict', { method: 'POST', body: form })
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(body.detail ?? body.message ?? `The gateway answered ${answer.status}.`)
  byId('answer').replaceChildren(...body.top_3_predictions.map(guess), element('p', { className: 'muted' }, describePrediction(body)))
}

function guess({ label, probability }, index) {
  const percent = `${(probability * 100).toFixed(1)} %`
  const bar = element('progress', { max: 1, value: probability })
  bar.setAttribute('aria-label', `${label}: ${percent}`)
  return element('div', { className: index === 0 ? 'guess first' : 'guess' }, element('span', {}, label), element('span', {}, percent), bar)
}

const describePrediction = (body) =>
  `${body.model_name} version ${body.model_version}, ${body.processing_time_ms.toFixed(1)} ms${body.cached ? ', from the cache' : ''}`

function tryPrediction(file) {
  if (!file) return
  predict(file).catch((error) => byId('answer').replaceChildren(element('p', { className: 'error' }, error.message)))
}

const SUBJECTS = { modelversion: 'model version', modelalias: 'model alias', servingstate: 'serving state' }

/** `io.millrace.modelversion.stagechanged.v1` → `model version stage changed` */
function nameOf(type) {
  const [, , subject, ...verb] = type.replace(/\.v\d+$/, '').split('.')
  return [SUBJECTS[subject] ?? subject, ...verb].join(' ').replace(/(stage|load|rolled)(?=changed|failed|back)/, '$1 ')
}
const kindOf = (type) => (/failed|rejected/.test(type) ? 'bad' : /drift|degraded|rolledback/.test(type) ? 'warm' : '')

/** The few fields that tell the story of an event. */
function storyOf({ subject, data }) {
  const told = ['model', 'version', 'previousVersion', 'from', 'to', 'status', 'outcome', 'severity', 'state', 'step', 'reason', 'message', 'pod']
  const parts = told.flatMap((name) => (['string', 'number'].includes(typeof data?.[name]) && data[name] !== '' ? [`${name} ${data[name]}`] : []))
  return parts.length > 0 ? parts.join(' · ') : subject
}

let lastPosition = null

function showEvent(event) {
  const list = byId('events')
  if (lastPosition === null) list.replaceChildren()
  lastPosition = event.position
  const time = element('time', { dateTime: event.time, title: event.time }, new Date(event.time).toLocaleTimeString())
  const what = element('span', { className: `what ${kindOf(event.type)}` }, nameOf(event.type))
  list.prepend(element('li', {}, time, what, element('span', { className: 'about' }, storyOf(event))))
  while (list.childElementCount > SHOWN_EVENTS) list.lastElementChild.remove()
}

/** Server-sent events over fetch, because EventSource cannot send a key. Resumes after the last event seen. */
async function followEvents() {
  const answer = await callApi('/api/v1/events', { headers: lastPosition ? { 'last-event-id': lastPosition } : {} })
  if (answer.status === 401) askForKey()
  if (!answer.ok) throw new Error(`events answered ${answer.status}`)
  setBadge(byId('live'), 'live', 'good')
  let text = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop()
    for (const block of blocks) showBlock(block)
  }
}

function showBlock(block) {
  const data = block.split('\n').find((line) => line.startsWith('data: '))
  if (data) showEvent(JSON.parse(data.slice('data: '.length)))
}

async function keepFollowing() {
  for (;;) {
    await followEvents().catch(() => undefined)
    setBadge(byId('live'), 'reconnecting…', '')
    await new Promise((resume) => setTimeout(resume, RECONNECT_MS))
  }
}

async function refresh() {
  await showReady().catch(() => setBadge(byId('overall'), 'the gateway does not answer', 'bad'))
  await showModels().catch(() => byId('models').replaceChildren(element('p', { className: 'muted' }, 'The registry does not answer at the moment.')))
}

byId('file').addEventListener('change', (change) => {
  tryPrediction(change.target.files[0])
  // So that the same picture can be chosen again.
  change.target.value = ''
})
byId('drop').addEventListener('dragover', (drag) => {
  drag.preventDefault()
  byId('drop').classList.add('over')
})
byId('drop').addEventListener('dragleave', () => byId('drop').classList.remove('over'))
byId('drop').addEventListener('drop', (drop) => {
  drop.preventDefault()
  byId('drop').classList.remove('over')
  tryPrediction(drop.dataTransfer.files[0])
})
byId('key-form').addEventListener('submit', (submit) => {
  submit.preventDefault()
  useKey(byId('key').value.trim())
  void refresh()
  void showPage()
})
byId('try-form').addEventListener('submit', (submit) => submit.preventDefault())

window.addEventListener('hashchange', () => void showPage())

void showPage()
void refresh()
setInterval(() => void refresh(), REFRESH_MS)
void keepFollowing()
