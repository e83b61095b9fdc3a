import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderSvg } from '@millrace/platform/model/render-svg.ts'
import { confusionCsv, confusionSvg } from './confusion-picture.ts'
import { reportHtml } from './report-html.ts'
import type { TrainingReport } from './training-report.ts'

/** Above so many classes the picture would have more than a hundred million pixels; the CSV has them all. */
const MAX_PICTURE_CLASSES = 200

/** Writes the confusion matrix (CSV and PNG) and the training report (JSON and HTML); answers the names of the files. */
export async function writeReport(reportDir: string, report: TrainingReport): Promise<string[]> {
  const { classes } = report.dataset
  const svg = classes.length <= MAX_PICTURE_CLASSES ? confusionSvg(classes, report.confusion) : null
  const files: [string, string | Buffer][] = [
    ['confusion-matrix.csv', confusionCsv(classes, report.confusion)],
    ['training-report.json', `${JSON.stringify(report, null, 2)}\n`],
    ['training-report.html', reportHtml(report, svg ?? '<p>See confusion-matrix.csv.</p>')],
  ]
  if (svg) files.push(['confusion-matrix.png', await renderSvg(svg)])
  await mkdir(reportDir, { recursive: true })
  for (const [name, content] of files) await writeFile(join(reportDir, name), content)
  return files.map(([name]) => name)
}
