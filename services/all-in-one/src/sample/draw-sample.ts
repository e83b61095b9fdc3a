import { access, mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Light } from '@millrace/sample-fish/camera.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'

/** Draws a data set unless it is there. It appears under its name only when it is whole: a start that was killed while drawing begins again. */
export async function drawOnce(root: string, options: { seed: number; light: Light; imagesPerClass: number }): Promise<boolean> {
  const exists = await access(root).then(
    () => true,
    () => false,
  )
  if (exists) return false
  const unfinished = `${root}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(dirname(root), { recursive: true })
  await drawDataset({ root: unfinished, ...options })
  await rename(unfinished, root)
  return true
}
