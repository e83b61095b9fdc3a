import { openPglite } from '../sql/pglite.ts'

/**
 * Run as a process of its own: opens the database in the folder that is its argument, and writes numbered pairs of rows, each pair in one transaction,
 * printing the number only after the commit. It ends when it is killed.
 */
const [directory = ''] = process.argv.slice(2)
const opened = await openPglite({ directory })
const database = opened.value.schema('crash')
await database.query('create table if not exists written (id int, half text, primary key (id, half))')
const [last] = await database.query<{ id: number }>('select coalesce(max(id), 0) as id from written')
process.stdout.write('ready\n')
for (let id = (last?.id ?? 0) + 1; ; id += 1) {
  await database.transaction(async (tx) => {
    await tx.query("insert into written values ($1, 'first')", [id])
    await tx.query("insert into written values ($1, 'second')", [id])
  })
  process.stdout.write(`${id}\n`)
}
