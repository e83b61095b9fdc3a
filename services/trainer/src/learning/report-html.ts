import type { EpochReport } from './training-job.ts'
import type { TrainingReport } from './training-report.ts'

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const percent = (share: number | null): string => (share === null ? 'no rows' : `${(100 * share).toFixed(1)} %`)

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><tr>${head.map((name) => `<th>${escaped(name)}</th>`).join('')}</tr>${rows.map((row) => `<tr>${row.map((value) => `<td>${escaped(value)}</td>`).join('')}</tr>`).join('')}</table>`

const WIDTH = 420
const HEIGHT = 180

function line(values: readonly number[], top: number, colour: string): string {
  const x = (i: number) => 36 + (i * (WIDTH - 46)) / Math.max(1, values.length - 1)
  const y = (value: number) => HEIGHT - 20 - (value / top) * (HEIGHT - 36)
  return `<polyline points="${values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`
}

/** Two curves over the epochs: training in blue, validation in orange. */
function chart(title: string, epochs: readonly EpochReport[], train: 'loss' | 'accuracy', held: 'val_loss' | 'val_accuracy'): string {
  const series = [epochs.map((epoch) => epoch[train]), epochs.map((epoch) => epoch[held])]
  const top = train === 'accuracy' ? 1 : Math.max(1e-9, ...series.flat())
  const frame = `<path d="M36 16V${HEIGHT - 20}H${WIDTH - 8}" fill="none" stroke="#889"/><text x="4" y="22">${top.toFixed(2)}</text><text x="22" y="${HEIGHT - 16}">0</text><text x="${WIDTH - 60}" y="${HEIGHT - 4}">epoch ${epochs.length}</text>`
  return `<figure><figcaption>${title}: training <b style="color:#1a6fb5">blue</b>, validation <b style="color:#d9730d">orange</b></figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${title}">${frame}${line(series[0] ?? [], top, '#1a6fb5')}${line(series[1] ?? [], top, '#d9730d')}</svg></figure>`
}

const style =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#123}table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #cdd5dd;padding:.15rem .5rem;text-align:left}figure{display:inline-block;margin:0 1rem 0 0}svg text{font-size:11px;fill:#556}code{word-break:break-all;background:#f2f5f8;padding:.1rem .3rem}'

const pairs = (values: Readonly<Record<string, string | number>>): string =>
  table(
    ['name', 'value'],
    Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? String(Number(value.toPrecision(6))) : value]),
  )

function datasetSection({ dataset }: TrainingReport): string {
  const { digest, rows, unreadable, root } = dataset
  const skipped = unreadable.length === 0 ? '' : `<p>${unreadable.length} unreadable files were left out: ${escaped(unreadable.slice(0, 20).join(', '))}</p>`
  return `<h2>Data</h2><p><code>${escaped(root)}</code>: ${rows.train} training, ${rows.val} validation, ${rows.test} test images; sha256 <code>${digest}</code></p>${skipped}`
}

/** The report as one page that needs nothing from outside: no scripts, no fonts, no pictures by address. */
export function reportHtml(report: TrainingReport, confusionSvg: string): string {
  const { metrics, epochs, classes, environment, parameters, warnings, reproduce, backbone, headSha256, origin } = report
  const summary = Object.fromEntries(Object.entries(metrics).filter(([name]) => !name.startsWith('recall.')))
  const recall = table(
    ['class', 'label', 'recall'],
    classes.map((entry) => [entry.class, entry.label, percent(entry.recall)]),
  )
  const warned = warnings.length === 0 ? '' : `<h2>Warnings</h2><ul>${warnings.map((warning) => `<li>${escaped(warning)}</li>`).join('')}</ul>`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Training report</title><style>${style}</style></head><body>
<h1>Training report</h1><p>Test accuracy <b>${percent(metrics.test_accuracy)}</b> on ${report.dataset.rows.test} images of ${classes.length} classes.</p>
<h2>Metrics</h2>${pairs(summary)}
<h2>Curves</h2>${chart('Loss', epochs, 'loss', 'val_loss')}${chart('Accuracy', epochs, 'accuracy', 'val_accuracy')}
<h2>Recall per class</h2>${recall}<h2>Confusion matrix</h2>${confusionSvg}
${datasetSection(report)}<h2>Parameters</h2>${pairs(parameters)}
<h2>Model</h2><p>Backbone ${escaped(backbone.file)} (${backbone.features} features), sha256 <code>${backbone.sha256}</code>; head sha256 <code>${headSha256}</code></p>
<h2>Origin</h2>${pairs(origin)}<h2>Environment</h2>${pairs(environment)}${warned}
<h2>Reproduce</h2><p>The same request on the same data gives the same head, to the bit:</p><p><code>${escaped(reproduce)}</code></p></body></html>
`
}
