import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { openPglite } from './pglite.ts'

const place = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const directory = join(place, 'database')

/** Kills the writer after `lines` lines of its output (0 = `afterMs` after its start); answers the last id it acknowledged. */
async function writeAndKill(lines: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../testing/write-until-killed.ts', import.meta.url)), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let acknowledged = 0
  let seen = 0
  if (lines === 0) setTimeout(() => child.kill('SIGKILL'), afterMs)
  createInterface({ input: child.stdout }).on('line', (line) => {
    seen += 1
    acknowledged = Number(line) || acknowledged
    if (lines > 0 && seen >= lines) child.kill('SIGKILL')
  })
  await ended
  return acknowledged
}

async function idsInDatabase(): Promise<number[]> {
  const opened = await openPglite({ directory })
  const rows = await opened.value.schema('crash').query<{ id: number; halves: number }>('select id, count(*) as halves from written group by id order by id')
  await opened.stop()
  for (const row of rows) expect(row).toEqual({ id: row.id, halves: 2 })
  return rows.map((row) => row.id)
}

test('a process killed while the database is being made leaves nothing in the way', async () => {
  for (const afterMs of [300, 900]) await writeAndKill(0, afterMs)
  expect(await writeAndKill(5, 0)).toBeGreaterThan(0)
})

test('what was acknowledged before kill -9 is there again, and transactions are whole', async () => {
  let acknowledged = 0
  for (const lines of [2, 40, 7, 150, 300]) {
    acknowledged = Math.max(acknowledged, await writeAndKill(lines, 0))
    const ids = await idsInDatabase()
    expect(ids.length).toBeGreaterThanOrEqual(acknowledged)
    expect(ids).toEqual(ids.map((_, index) => index + 1))
  }
  expect(acknowledged).toBeGreaterThan(400)
})
