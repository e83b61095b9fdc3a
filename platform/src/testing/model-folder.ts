import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ArtifactFile, ArtifactSource } from '../model/describe-model.ts'

/** Models as exporters and MLflow's client wrote them, with what onnxruntime answered in Python (`fixtures/make.py`). */
export type ModelFixture =
  | 'all-types'
  | 'contrib'
  | 'functions'
  | 'side-file'
  | 'sklearn-columns'
  | 'sklearn-regressor'
  | 'sklearn-strings'
  | 'sklearn-table'
  | 'sklearn-zipmap'
  | 'xgboost'

const EXPECTED = 'expected.json'

const folderOf = (name: ModelFixture): string => fileURLToPath(new URL(`../model/fixtures/${name}`, import.meta.url))

/** The files of a model by path. */
export function modelFixture(name: ModelFixture): Record<string, Uint8Array> {
  const folder = folderOf(name)
  const paths = readdirSync(folder).filter((path) => path !== EXPECTED)
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))]))
}

/** Its network alone. */
export const networkFixture = (name: ModelFixture): Uint8Array => readFileSync(join(folderOf(name), 'model.onnx'))

/** Inputs and what Python's runtime answered to them, as JSON text. */
export const expectedAnswers = (name: ModelFixture): string => readFileSync(join(folderOf(name), EXPECTED), 'utf8')

/** Files in memory as the source of a description; chunks are small, so that everything lies across their edges somewhere. */
export function sourceOf(contents: Readonly<Record<string, Uint8Array | string>>, chunkBytes = 7): ArtifactSource<ArtifactFile> {
  const bytesOf = (path: string): Uint8Array => Buffer.from(contents[path] ?? '')
  async function* open(path: string) {
    const bytes = bytesOf(path)
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  return { files: Object.keys(contents).map((path) => ({ path, sizeBytes: bytesOf(path).length })), open: async ({ path }) => open(path) }
}
