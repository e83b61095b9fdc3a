import { expect, test } from 'vitest'
import { emptyDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { createUpkeepPass } from './pglite-upkeep.ts'

test('dead rows are vacuumed away, and a checkpoint is written when enough was', async () => {
  const database = await emptyDatabase()
  const redoPoint = async () => (await database.query('select redo_lsn::text from pg_control_checkpoint()'))[0]?.['redo_lsn']
  const deadRows = async () => (await database.query("select n_dead_tup as dead from pg_stat_user_tables where relname = 'bloated'"))[0]?.['dead']
  const pass = createUpkeepPass(database, 1_000_000)
  await database.query('create table bloated (id int, text text)')
  await pass()
  const before = await redoPoint()
  await database.query("insert into bloated select number, repeat('x', 100) from generate_series(1, 20000) as number")
  await database.query('update bloated set id = id + 1')
  await database.query('select pg_stat_force_next_flush()')
  await until(async () => (await deadRows()) === 20000)
  await pass()
  expect(await deadRows()).toBe(0)
  expect(await redoPoint()).not.toBe(before)
})
