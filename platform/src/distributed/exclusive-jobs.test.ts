import { expect, test } from 'vitest'
import type { Service } from '../service.ts'
import { withExclusiveJobs } from './exclusive-jobs.ts'

function serviceThat(did: string[]): Service {
  const job = (name: string) => ({ name, everyMs: 1000, run: async () => did.push(name) > 0 })
  return { name: 'example', routes: [], consumers: [], jobs: [job('collect'), job('report')], readiness: async () => ({ ready: true, detail: {} }) }
}

test('a named job runs only while its process is the active one; the others run always', async () => {
  const did: string[] = []
  let active = false
  const { jobs } = withExclusiveJobs(serviceThat(did), ['collect'], () => active)
  const runAll = () => Promise.all(jobs.map((job) => job.run(new AbortController().signal)))
  expect(await runAll()).toEqual([false, true])
  active = true
  expect(await runAll()).toEqual([true, true])
  expect(did).toEqual(['report', 'collect', 'report'])
})

test('a name that is no job is refused: the job that was meant would run twice', () => {
  expect(() => withExclusiveJobs(serviceThat([]), ['colect'], () => true)).toThrow('example has no job colect: it has collect, report')
})
