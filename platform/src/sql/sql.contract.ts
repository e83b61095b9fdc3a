import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { type Database, SqlError, UniqueViolation } from './sql.ts'

export interface OpenedDatabase {
  readonly database: Database
  close(): Promise<void>
}

/** What every adapter of `Database` must keep. `open` gives an empty schema. */
export function databaseContract(name: string, open: () => Promise<OpenedDatabase>): void {
  describe(`${name} keeps the contract of Database`, () => {
    let opened: OpenedDatabase
    beforeAll(async () => {
      opened = await open()
      await opened.database.query('create table account (id int8 primary key, balance int8 not null); create table note (id int primary key, text text)')
      await opened.database.query('insert into account values (1, 0), (2, 0)')
    })
    afterAll(() => opened.close())
    valueTests(() => opened.database)
    transactionTests(() => opened.database)
    errorTests(() => opened.database)
  })
}

function valueTests(database: () => Database): void {
  test('int8 and counts are numbers, beyond 2^53 an error', async () => {
    expect(await database().query('select 9007199254740991::int8 as big, count(*) as count from account')).toEqual([{ big: 9007199254740991, count: 2 }])
    await expect(database().query('select 9007199254740993::int8 as big')).rejects.toThrow('2^53')
  })

  test('numeric is a string, timestamptz a Date, jsonb parsed, bytea a Buffer', async () => {
    const time = new Date('2026-03-04T05:06:07.089Z')
    const [row] = await database().query('select $1::numeric as n, $2::timestamptz as t, $3::jsonb as j, $4::bytea as b, null::bytea as nothing', [
      '1.50',
      time,
      JSON.stringify({ a: [1, null] }),
      Buffer.from([0, 255, 92]),
    ])
    expect(row).toEqual({ n: '1.50', t: time, j: { a: [1, null] }, b: Buffer.from([0, 255, 92]), nothing: null })
    expect(Buffer.isBuffer(row?.['b'])).toBe(true)
  })

  test('parameters may be arrays, with nulls in them', async () => {
    const values = [['a', null, 'c"d,{}'], [1, 2], [true, false], [new Date(0)], [Buffer.from('x')]]
    const [row] = await database().query('select $1::text[] as t, $2::int8[] as i, $3::bool[] as b, $4::timestamptz[] as d, $5::bytea[] as y', values)
    expect(row).toMatchObject({ t: values[0], i: values[1], b: values[2], d: values[3] })
  })

  test('an empty array and undefined are an empty array and null', async () => {
    expect(await database().query('select 1 <> all($1::int8[]) as all, $2::text as nothing', [[], undefined])).toEqual([{ all: true, nothing: null }])
  })

  test('several statements run at once without values; the rows are the last one’s', async () => {
    expect(await database().query('select 1 as a; select 2 as b')).toEqual([{ b: 2 }])
  })
}

function transactionTests(database: () => Database): void {
  const balanceOf = async (id: number): Promise<unknown> => (await database().query('select balance from account where id = $1', [id]))[0]?.['balance']

  test('a transaction commits when its work resolves, and gives back what the work returned', async () => {
    const answer = await database().transaction(async (tx) => {
      await tx.query('update account set balance = 10 where id = 1')
      return 'done'
    })
    expect([answer, await balanceOf(1)]).toEqual(['done', 10])
  })

  test('a transaction leaves nothing when its work rejects', async () => {
    const work = database().transaction(async (tx) => {
      await tx.query('update account set balance = 99 where id = 2')
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')
    expect(await balanceOf(2)).toBe(0)
  })

  test('inside a transaction the database itself refuses', async () => {
    await expect(database().transaction(() => database().query('select 1'))).rejects.toThrow('inside a transaction')
    await expect(database().transaction(() => database().transaction(async () => 1))).rejects.toThrow('inside a transaction')
    expect(await database().query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('a transaction that is over refuses', async () => {
    const leaked = await database().transaction(async (tx) => tx)
    await expect(leaked.query('select 1')).rejects.toThrow('over')
  })

  test('a transaction in which a statement failed cannot commit, even when the failure was swallowed', async () => {
    const work = database().transaction(async (tx) => {
      await tx.query("insert into note values (1, 'lost')")
      await tx.query('select 1 / 0').catch(() => undefined)
    })
    await expect(work).rejects.toThrow('rolled back')
    expect(await database().query('select id from note')).toEqual([])
  })

  test('simultaneous transactions lose no update', async () => {
    await database().query('update account set balance = 0 where id = 1')
    const addOne = (): Promise<void> =>
      database().transaction(async (tx) => {
        const [row] = await tx.query<{ balance: number }>('select balance from account where id = 1 for update')
        await tx.query('update account set balance = $1 where id = 1', [(row?.balance ?? 0) + 1])
      })
    await Promise.all(Array.from({ length: 40 }, addOne))
    expect(await balanceOf(1)).toBe(40)
  })
}

function errorTests(database: () => Database): void {
  test('a unique index that refuses a row is named', async () => {
    const failure = await database()
      .query('insert into account values (1, 0)')
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UniqueViolation)
    expect(failure).toMatchObject({ constraint: 'account_pkey' })
  })

  test('other refusals carry their SQLSTATE and the statement', async () => {
    const failure = await database()
      .query('select * from no_such_table')
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SqlError)
    expect(failure).toMatchObject({ code: '42P01', message: expect.stringContaining('select * from no_such_table') })
  })

  test.each([
    ['text', 'select $1::text as t', 'a\0b'],
    ['jsonb', 'select $1::jsonb as t', JSON.stringify({ a: 'x\0' })],
  ])('a NUL in %s is the caller’s mistake, not a crash', async (_kind, statement, value) => {
    const failure = await database()
      .query(statement, [value])
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
  })

  test('a savepoint saves what came before a failure', async () => {
    await database().transaction(async (tx) => {
      await tx.query("insert into note values (2, 'kept')")
      await tx.query('savepoint here')
      await tx.query('select 1 / 0').catch(() => undefined)
      await tx.query('rollback to savepoint here')
    })
    expect(await database().query('select id from note where id = 2')).toEqual([{ id: 2 }])
  })

  test('after a failure the next statement works', async () => {
    await expect(database().query('this is not sql')).rejects.toThrow('syntax error')
    expect(await database().query('select 1 as one')).toEqual([{ one: 1 }])
  })
}
