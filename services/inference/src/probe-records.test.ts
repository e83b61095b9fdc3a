import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { modelSpec } from '@millrace/contracts/model/model-spec.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { expect, test } from 'vitest'
import { probeArtifact, whileOpening } from './probe-artifact.ts'
import { openProbeRecords, type ProbeRecords } from './probe-records.ts'
import type { LocalArtifact } from './read-artifact.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'
import { scaleModel } from './testing/test-model.ts'
import type { ProbeChild, ProbeResult } from './threads/probe.ts'
import { createSpare } from './threads/spare.ts'

const artifact: LocalArtifact = {
  spec: modelSpec.parse(JSON.parse(String(scaleModel(1)['millrace-model.json']))),
  files: [],
  modelBytes: 0,
  example: [],
  logged: false,
  content: [],
}

/** Children that give the listed results, one after the other; `started` counts them. */
function children(...results: ProbeResult[]) {
  const tried: ProbeResult[] = []
  const start = async (): Promise<ProbeChild> => ({
    async probe() {
      const result = results[tried.length] ?? { kind: 'passed' as const, memoryBytes: 1000 }
      tried.push(result)
      return result
    },
    alive: true,
    stop: () => undefined,
  })
  return { tried, spare: createSpare<ProbeChild>({ start, end: () => undefined, usable: () => true }) }
}

const crash: ProbeResult = { kind: 'crashed', message: 'it was ended by SIGSEGV' }

function probe(records: ProbeRecords, ...results: ProbeResult[]) {
  const { tried, spare } = children(...results)
  const done = probeArtifact({ records, children: spare, timeoutMs: 1000, log: silentLog }, 'd1', artifact, new AbortController().signal)
  return done.then(
    () => ({ tried: tried.length, failure: null }),
    (failure: unknown) => ({ tried: tried.length, failure }),
  )
}

test('a digest that passed is not tried again, after a restart either', async () => {
  const directory = await temporaryDirectory()
  expect(await probe(await openProbeRecords(directory))).toEqual({ tried: 1, failure: null })
  expect(await probe(await openProbeRecords(directory), crash)).toEqual({ tried: 0, failure: null })
})

test('one crash is tried again, the second is quarantine for good', async () => {
  const records = await openProbeRecords(await temporaryDirectory())
  expect(await probe(records, crash, { kind: 'passed', memoryBytes: 1000 })).toEqual({ tried: 2, failure: null })
  const other = await openProbeRecords(await temporaryDirectory())
  expect(await probe(other, crash, crash)).toMatchObject({ tried: 2, failure: { kind: 'deterministic', stage: 'probe' } })
  expect(await probe(other)).toMatchObject({ tried: 0, failure: { kind: 'deterministic', message: expect.stringContaining('SIGSEGV') } })
})

test('a pod that ended while opening a digest tries it again first, and after the second time never', async () => {
  const directory = await temporaryDirectory()
  const records = await openProbeRecords(directory)
  const die = async () => {
    await probe(records)
    // What a killed process leaves behind: the note, and no word of how it went.
    await records.write('d1', { ...(await records.read('d1')), opening: true })
  }
  await die()
  expect(await probe(records)).toEqual({ tried: 1, failure: null })
  await die()
  expect(await probe(records)).toMatchObject({ tried: 0, failure: { stage: 'probe' } })
})

test('a digest that opened at last is trusted again', async () => {
  const records = await openProbeRecords(await temporaryDirectory())
  await probe(records, crash, { kind: 'passed', memoryBytes: 1000 })
  await whileOpening(records, 'd1', async () => undefined)
  expect(await records.read('d1')).toMatchObject({ passed: true, crashes: 0, opening: false })
})

test('a record that cannot be read counts as none', async () => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'd1.json'), '{"passed": tr')
  expect(await probe(await openProbeRecords(directory))).toEqual({ tried: 1, failure: null })
})
