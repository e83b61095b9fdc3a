import { expect, test } from 'vitest'
import { type Log, silentLog } from '../log.ts'
import { until } from '../testing/until.ts'
import { startDiskGuard } from './disk-guard.ts'

const GIB = 1024 ** 3

test('too little space to start is said at once', async () => {
  await expect(startDiskGuard('/data/database', silentLog, async () => 1_000_000)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
})

test('when the space runs out writes are refused and reads are not, until there is space again', async () => {
  const free = [GIB, 0, 0]
  const said: string[] = []
  const log: Log = { ...silentLog, error: (message) => void said.push(message), info: (message) => void said.push(message) }
  const guard = await startDiskGuard('/data/database', log, async () => free.at(0) ?? GIB, 1)
  guard.check('insert into thing values (1)')
  free.shift()
  await until(() => said.length === 1)
  for (const write of ['insert into thing values (1)', '  UPDATE thing set id = 2', 'with x as (select 1)\ninsert into thing select * from x']) {
    expect(() => guard.check(write)).toThrow('free some space')
  }
  for (const read of ['select 1', 'with x as (select 1) select * from x', 'rollback']) guard.check(read)
  free.length = 0
  await until(() => said.length === 2)
  guard.check('insert into thing values (1)')
  guard.stop()
})
