import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { unpackFiles } from '@millrace/platform/blobs/unpack-files.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { OnnxLimits } from '@millrace/platform/model/onnx-limits.ts'
import { z } from 'zod'
import type { Facts, Measured } from './domain/gates.ts'

export type Measurements = Pick<Facts, 'parity' | 'latency'>

/** Runs the ONNX files of an artifact on its own stored rows. What the model itself does wrong comes back as a reason, never as a throw. */
export type MeasureModel = (files: readonly ManifestFile[], signal: AbortSignal) => Promise<Measurements>

const PROGRAM = fileURLToPath(new URL('./measure-child.ts', import.meta.url))
const MAX_OUTPUT_BYTES = 1_048_576

const missing = z.strictObject({ kind: z.literal('missing'), reason: z.string() })
const measured = <Value extends z.ZodType>(value: Value) => z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('measured'), value }), missing])
const report = z.strictObject({
  // JSON has no NaN or infinity: null stands for a difference that is not a number.
  parity: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('measured'), value: z.strictObject({ maxDifference: z.number().nullable(), values: z.int() }) }),
    missing,
    z.strictObject({ kind: z.literal('waived'), reason: z.string() }),
  ]),
  latency: measured(z.strictObject({ medianMs: z.number(), runs: z.int() })),
})
export type MeasureReport = z.infer<typeof report>

/** Measures in a process of its own: a native crash, a hang or a model that eats all memory ends that process and fails the gate. */
export const createMeasureModel = (deps: { blobs: Blobs; timeoutMs: number; onnxLimits: OnnxLimits }): MeasureModel =>
  async function measureModel(files, signal) {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-measure-'))
    try {
      await unpackFiles(deps.blobs, files, folder, signal)
      return readReport(await runProgram([folder, JSON.stringify(deps.onnxLimits)], deps.timeoutMs, signal))
    } catch (error) {
      if (error instanceof AppError && error.code === 'INVALID_PARAMETER_VALUE') return unmeasured(error.message)
      throw error
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

const unmeasured = (reason: string): Measurements => ({ parity: { kind: 'missing', reason }, latency: { kind: 'missing', reason } })

function readReport(output: string | { readonly failed: string }): Measurements {
  if (typeof output !== 'string') return unmeasured(output.failed)
  const { parity, latency } = report.parse(JSON.parse(output))
  return { parity: parity.kind === 'measured' ? withNumber(parity.value) : parity, latency }
}

const withNumber = ({ maxDifference, values }: { maxDifference: number | null; values: number }): Measured<{ maxDifference: number; values: number }> => ({
  kind: 'measured',
  value: { maxDifference: maxDifference ?? Number.NaN, values },
})

/** The program's standard output, or why it ended without one. */
function runProgram(args: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string | { failed: string }> {
  const environment = { PATH: process.env['PATH'] ?? '' }
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, signal, env: environment } as const
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      if (!error) resolve(stdout)
      else if (signal.aborted) reject(error)
      else if (error.killed) resolve({ failed: `the model did not answer its stored rows within ${timeoutMs} ms` })
      else resolve({ failed: `the model could not be run (${error.signal ?? `exit ${error.code}`}): ${lastLine(stderr)}` })
    })
  })
}

const lastLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '')
    ?.slice(0, 500) ?? 'it said nothing'
