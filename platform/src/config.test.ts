import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig, redactConfig } from './config.ts'

const schema = z.object({
  PORT: z.coerce.number().int().min(1).max(65_535).default(8080),
  LOG_LEVEL: z.enum(['debug', 'info']).default('info'),
  RETRIES: z.coerce.number().int().min(0).optional(),
  SECURE: z.stringbool().default(false),
  DATABASE_PASSWORD: z.string().min(8).optional(),
  NAME: z.string(),
})
const problemsOf = (env: Record<string, string>, readFile?: (path: string) => string): string[] => {
  try {
    readConfig(schema, env, readFile)
    return []
  } catch (error) {
    return String(error)
      .split(/\n {2}|A setting is not valid: /)
      .slice(1)
  }
}

test('settings are read with their defaults; an empty variable counts as not set', () => {
  expect(readConfig(schema, { NAME: 'x', PORT: '', RETRIES: '3', SECURE: 'true', UNKNOWN: '1' })).toEqual({
    NAME: 'x',
    PORT: 8080,
    LOG_LEVEL: 'info',
    RETRIES: 3,
    SECURE: true,
  })
})

test('all problems are told at once, each with what was expected', () => {
  expect(problemsOf({ PORT: 'abc', LOG_LEVEL: 'loud', RETRIES: '-1', SECURE: 'perhaps' })).toEqual([
    'PORT: expected a number 1..65535, got "abc"',
    'LOG_LEVEL: expected one of "debug", "info", got "loud"',
    'RETRIES: expected a number of at least 0, got "-1"',
    'SECURE: expected true or false, got "perhaps"',
    'NAME: expected a text, it is not set',
  ])
  expect(problemsOf({ NAME: 'x', PORT: '70000' })).toEqual(['PORT: expected a number 1..65535, got "70000"'])
})

test('a single problem is a single line', () => {
  expect(() => readConfig(schema, { NAME: 'x', PORT: '0' })).toThrow(/^A setting is not valid: PORT: .*$/)
})

test('the failure is a refusal that a program can end with', () => {
  expect(() => readConfig(schema, {})).toThrow(expect.objectContaining({ name: 'AppError', code: 'INVALID_PARAMETER_VALUE' }))
})

test('X_FILE names a file that holds the value', () => {
  const readFile = (path: string) => `${path} secret\n`
  expect(readConfig(schema, { NAME: 'x', DATABASE_PASSWORD_FILE: '/run/pw' }, readFile)).toMatchObject({ DATABASE_PASSWORD: '/run/pw secret' })
})

test('a file that cannot be read, or a setting given twice, is a problem of its own', () => {
  const unreadable = () => {
    throw new Error('ENOENT: no such file')
  }
  expect(problemsOf({ NAME_FILE: '/nothing' }, unreadable)).toEqual(['NAME: the file that NAME_FILE names cannot be read (ENOENT: no such file)'])
  expect(problemsOf({ NAME: 'x', NAME_FILE: '/y' }, () => 'y')).toEqual(['NAME: is set twice, directly and by NAME_FILE: leave one out'])
})

test('secrets are neither in messages nor in what is logged', () => {
  expect(problemsOf({ NAME: 'x', DATABASE_PASSWORD: 'hunter2' })).toEqual([
    'DATABASE_PASSWORD: expected a text of at least 8 characters, got a value that is kept secret',
  ])
  expect(redactConfig({ DATABASE_PASSWORD: 'hunter2', API_KEY: 'k', PORT: 1, SIGNING_SECRET: undefined })).toEqual({
    DATABASE_PASSWORD: '[redacted]',
    API_KEY: '[redacted]',
    PORT: 1,
    SIGNING_SECRET: undefined,
  })
})
