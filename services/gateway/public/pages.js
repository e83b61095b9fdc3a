/** Plain pages for the links that MLflow's client prints: `/#/experiments/…/runs/…`, `/#/models/…`. */
import { askJson, byId, callApi, element, link, table } from '/dom.js'

const API = '/api/2.0/mlflow'
const SHOWN_RUNS = 100
const SHOWN_METRICS = 6

const time = (milliseconds) => (milliseconds ? new Date(milliseconds).toLocaleString() : '')
const seconds = ({ start_time: start, end_time: end }) => (start && end ? `${((end - start) / 1000).toFixed(1)} s` : '')
const number = (value) => (typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value))
const pairs = (list = []) => list.map(({ key, value }) => [key, String(value)])
const segment = encodeURIComponent
const note = (text) => element('p', { className: 'muted' }, text)
const part = (title, rows, titles = ['Name', 'Value']) => (rows.length > 0 ? [element('h2', {}, title), table(titles, rows)] : [])
const title = (text, ...trail) => [element('p', { className: 'trail' }, ...trail.flatMap((one) => [one, ' › '])), element('h1', {}, text)]

const home = () => link('#/', 'Millrace')
const experimentsLink = () => link('#/experiments', 'Experiments')
const modelsLink = () => link('#/models', 'Models')
const runHash = (info) => `#/experiments/${segment(info.experiment_id)}/runs/${segment(info.run_id)}`
const versionHash = (model, version) => `#/models/${segment(model)}/versions/${segment(version)}`

async function experiments() {
  const { experiments: found = [] } = await askJson(`${API}/experiments/search`, { max_results: 1000 })
  const rows = found.map((one) => [link(`#/experiments/${segment(one.experiment_id)}`, one.name), one.experiment_id, time(one.last_update_time)])
  return [...title('Experiments', home()), table(['Name', 'Id', 'Changed'], rows)]
}

async function experiment(id) {
  const [{ experiment: found }, { runs = [], next_page_token: more }] = await Promise.all([
    askJson(`${API}/experiments/get?experiment_id=${segment(id)}`),
    askJson(`${API}/runs/search`, { experiment_ids: [id], max_results: SHOWN_RUNS }),
  ])
  const names = [...new Set(runs.flatMap(({ data }) => (data.metrics ?? []).map(({ key }) => key)))].slice(0, SHOWN_METRICS)
  const rows = runs.map(({ info, data }) => {
    const values = new Map((data.metrics ?? []).map(({ key, value }) => [key, number(value)]))
    const choose = element('input', { type: 'checkbox', value: info.run_id })
    choose.setAttribute('aria-label', `compare ${info.run_name}`)
    return [
      choose,
      link(runHash(info), info.run_name || info.run_id),
      info.status,
      time(info.start_time),
      seconds(info),
      ...names.map((key) => values.get(key) ?? ''),
    ]
  })
  const runTable = table(['', 'Run', 'Status', 'Started', 'Took', ...names], rows)
  const compareChosen = () => {
    const chosen = [...runTable.querySelectorAll('input:checked')].map(({ value }) => value)
    if (chosen.length > 1) location.hash = `#/compare/${chosen.map(segment).join(',')}`
  }
  const button = element('button', { type: 'button', onclick: compareChosen }, 'Compare the chosen runs')
  const end = more ? [note(`The ${SHOWN_RUNS} newest runs.`)] : []
  return [...title(found.name, home(), experimentsLink()), ...(runs.length > 0 ? [runTable, button, ...end] : [note('No runs yet.')])]
}

async function run(experimentId, id) {
  const { run: found } = await askJson(`${API}/runs/get?run_id=${segment(id)}`)
  const { info, data, inputs = {}, outputs = {} } = found
  const facts = [
    ['Run', info.run_id],
    ['Status', info.status],
    ['Started', time(info.start_time)],
    ['Took', seconds(info)],
    ['By', info.user_id ?? ''],
  ]
  const datasets = (inputs.dataset_inputs ?? []).map(({ dataset }) => [dataset.name, dataset.digest])
  const models = (outputs.model_outputs ?? []).map(({ model_id: model }) => [
    link(`#/experiments/${segment(experimentId)}/models/${segment(model)}`, model),
    '',
  ])
  const trail = [home(), experimentsLink(), link(`#/experiments/${segment(info.experiment_id)}`, info.experiment_id)]
  return [
    ...title(info.run_name || info.run_id, ...trail),
    table(['Fact', 'Value'], facts),
    ...part(
      'Metrics',
      (data.metrics ?? []).map(({ key, value, step }) => [key, number(value), String(step)]),
      ['Name', 'Latest', 'Step'],
    ),
    ...part('Parameters', pairs(data.params)),
    ...part('Tags', pairs(data.tags)),
    ...part('Data sets', datasets, ['Name', 'Digest']),
    ...part('Models', models, ['Model', '']),
    element('h2', {}, 'Artifacts'),
    await folder(id, ''),
  ]
}

/** A folder of a run's artifacts; folders below open when asked for. */
async function folder(runId, path) {
  const { files = [] } = await askJson(`${API}/artifacts/list?run_id=${segment(runId)}&path=${segment(path)}`)
  if (files.length === 0) return note('No files.')
  return element('ul', { className: 'files' }, ...files.map((file) => element('li', {}, file.is_dir ? subfolder(runId, file.path) : download(runId, file))))
}

function subfolder(runId, path) {
  const details = element('details', {}, element('summary', {}, `${path.split('/').at(-1)}/`))
  const open = async () => details.append(await folder(runId, path).catch((error) => note(error.message)))
  details.addEventListener('toggle', open, { once: true })
  return details
}

/** Fetched rather than linked to, because a link cannot send a key. */
function download(runId, { path, file_size: size }) {
  const name = path.split('/').at(-1)
  const fetchFile = async () => {
    const answer = await callApi(`/get-artifact?run_id=${segment(runId)}&path=${segment(path)}`)
    const url = URL.createObjectURL(await answer.blob())
    element('a', { href: url, download: name }).click()
    URL.revokeObjectURL(url)
  }
  return element('span', {}, element('button', { type: 'button', className: 'plain', onclick: () => void fetchFile() }, name), ` ${size} bytes`)
}

async function compare(ids) {
  const told = await askJson(`/api/v1/runs/compare?run_ids=${ids.split(',').map(segment).join(',')}`)
  const heads = told.runs.map(({ runId, runName }) => runName || runId)
  const show = (rows) =>
    rows.map(({ key, values, differs }) => [element(differs ? 'strong' : 'span', {}, key), ...values.map((value) => (value === null ? '' : number(value)))])
  return [
    ...title('Runs side by side', home(), experimentsLink()),
    ...part('Parameters', show(told.params), ['Name', ...heads]),
    ...part('Metrics', show(told.metrics), ['Name', ...heads]),
  ]
}

async function loggedModel(_experimentId, id) {
  const { model } = await askJson(`${API}/logged-models/${segment(id)}`)
  const { info, data = {} } = model
  const source = info.source_run_id ? link(`#/experiments/${segment(info.experiment_id)}/runs/${segment(info.source_run_id)}`, info.source_run_id) : ''
  const facts = [
    ['Model', info.model_id],
    ['Status', info.status],
    ['Made', time(info.creation_timestamp_ms)],
    ['By run', source],
  ]
  return [
    ...title(info.name, home(), experimentsLink(), link(`#/experiments/${segment(info.experiment_id)}`, info.experiment_id)),
    table(['Fact', 'Value'], facts),
    ...part('Parameters', pairs(data.params)),
    ...part(
      'Metrics',
      (data.metrics ?? []).map(({ key, value }) => [key, number(value)]),
    ),
    ...part('Tags', pairs(info.tags)),
  ]
}

async function models() {
  const { models: found } = await askJson('/api/v1/models')
  const rows = found.map(({ model, production, versions }) => [
    link(`#/models/${segment(model)}`, model),
    production ? link(versionHash(model, production.version), `version ${production.version}`) : 'nothing',
    String(versions.length),
  ])
  return [...title('Models', home()), rows.length > 0 ? table(['Model', 'In production', 'Versions'], rows) : note('No model is registered yet.')]
}

async function model(name) {
  const found = await askJson(`/api/v1/models/${segment(name)}`)
  const rows = found.versions.map(({ version, stage, status, servable, createdAt }) => [
    link(versionHash(name, version), `version ${version}`),
    stage,
    status,
    servable ? 'yes' : 'no',
    new Date(createdAt).toLocaleString(),
  ])
  const words = found.description ? [element('p', {}, found.description)] : []
  return [...title(name, home(), modelsLink()), ...words, table(['Version', 'Stage', 'Status', 'Can be served', 'Registered'], rows)]
}

async function version(name, number_) {
  const at = `/api/v1/models/${segment(name)}/versions/${segment(number_)}`
  const [found, lineage] = await Promise.all([askJson(at), askJson(`${at}/lineage`)])
  const facts = [
    ['Stage', found.stage],
    ['Status', found.status],
    ['Can be served', found.servable ? 'yes' : `no: ${found.unservableReason ?? ''}`],
    ['Source', found.source],
    [
      'Run',
      lineage.run ? link(`#/experiments/${segment(lineage.run.experimentId)}/runs/${segment(lineage.run.runId)}`, lineage.run.runId) : (found.runId ?? ''),
    ],
    ['Digest', found.artifact?.sha256 ?? ''],
  ]
  const history = lineage.history.map(({ at: when, action, from, to, actor, reason }) => [
    new Date(when).toLocaleString(),
    action,
    [from, to].filter(Boolean).join(' → '),
    actor,
    reason,
  ])
  return [
    ...title(`${name}, version ${number_}`, home(), modelsLink(), link(`#/models/${segment(name)}`, name)),
    table(['Fact', 'Value'], facts),
    ...part('Tags', Object.entries(found.tags)),
    ...part(
      'Data sets',
      lineage.datasets.map((dataset) => [dataset.name, dataset.digest]),
      ['Name', 'Digest'],
    ),
    ...part('History', history, ['When', 'What', 'From → to', 'Who', 'Why']),
  ]
}

const PAGES = [
  [/^#\/experiments\/?$/, experiments],
  [/^#\/experiments\/([^/?]+)(?:\/runs)?\/?(?:\?.*)?$/, experiment],
  [/^#\/experiments\/([^/?]+)\/runs\/([^/?]+)/, run],
  [/^#\/experiments\/([^/?]+)\/models\/([^/?]+)/, loggedModel],
  [/^#\/compare\/([^/?]+)$/, compare],
  [/^#\/models\/?$/, models],
  [/^#\/models\/([^/?]+)\/?$/, model],
  [/^#\/models\/([^/?]+)\/versions\/([^/?]+)/, version],
]

let asked = 0

/** Shows what the address after # names; the front page where it names nothing. */
export async function showPage() {
  const mine = ++asked
  const [pattern, page] = PAGES.find(([candidate]) => candidate.test(location.hash)) ?? []
  byId('front').hidden = Boolean(page)
  byId('page').hidden = !page
  if (!page) return
  byId('page').replaceChildren(note('asking…'))
  const names = pattern.exec(location.hash).slice(1).map(decode)
  const content = await page(...names).catch((error) => [...title('Nothing to show', home()), element('p', { className: 'error' }, error.message)])
  // Whoever has gone on meanwhile does not want to see this any more.
  if (mine === asked) byId('page').replaceChildren(...content)
}

function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
