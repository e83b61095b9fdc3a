import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'

const runUrl = JSON.stringify(new URL('./run.ts', import.meta.url).href)
const errorsUrl = JSON.stringify(new URL('./errors.ts', import.meta.url).href)

/** Runs a program in a process of its own; its first line on standard output says that it has come so far. */
function program(body: string) {
  const script = `import { run } from ${runUrl}\nimport { AppError } from ${errorsUrl}\nconst alive = setInterval(() => {}, 1000)\n${body}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  return { child, output, up: once(child.stdout, 'data'), ended: endOf(child) }
}
const endOf = async (child: ChildProcess): Promise<number | null> => (await once(child, 'close'))[0]

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops what was started and exits 0', async (signal) => {
  const { child, up, ended, output } = program("run(async () => { console.log('up'); return { value: 1, stop: async () => console.log('stopped') } })")
  await up
  child.kill(signal)
  expect(await ended).toBe(0)
  expect(output).toEqual({ out: 'up\nstopped\n', err: '' })
})

test('a second signal ends at once with 1', async () => {
  const { child, up, ended, output } = program(
    "run(async () => { console.log('up'); return { value: 1, stop: () => new Promise(() => console.log('stopping')) } }, { sameSignalMs: 0 })",
  )
  await up
  const stopping = once(child.stdout, 'data')
  child.kill('SIGTERM')
  await stopping
  child.kill('SIGTERM')
  expect(await ended).toBe(1)
  expect(output.err).toBe('SIGTERM again: ending at once.\n')
})

test('one key press that arrives from the terminal, npm and the launcher is one signal', async () => {
  const { child, up, ended, output } = program(
    `run(async () => { console.log('up'); return { value: 1, stop: async () => {
       console.log('stopping'); await new Promise((resolve) => process.stdin.once('data', resolve)) } } }, { sameSignalMs: 3_600_000 })`,
  )
  await up
  const stopping = once(child.stdout, 'data')
  child.kill('SIGINT')
  await stopping
  child.kill('SIGINT')
  child.kill('SIGTERM')
  child.stdin.end('go on\n')
  expect(await ended).toBe(0)
  expect(output.err).toBe('')
})

test('a stop that takes too long ends with 1 and says so', async () => {
  const { child, up, ended, output } = program(
    "run(async () => { console.log('up'); return { value: 1, stop: () => new Promise(() => {}) } }, { stopWithinMs: 20 })",
  )
  await up
  child.kill('SIGTERM')
  expect(await ended).toBe(1)
  expect(output.err).toContain('Not stopped within 0.02 s')
})

test('a refused start is one clear line and exit 1', async () => {
  const { ended, output } = program("run(async () => { throw new AppError('RESOURCE_CONFLICT', 'Port 8080 is taken.') })")
  expect(await ended).toBe(1)
  expect(output.err).toBe('Port 8080 is taken.\n')
})

test('a signal while starting aborts the start and exits 0', async () => {
  const { child, up, ended, output } = program(
    "run((signal) => new Promise((_, reject) => { console.log('starting'); signal.addEventListener('abort', () => reject(signal.reason)) }))",
  )
  await up
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(output.err).toBe('')
})

test.each([
  ["setTimeout(() => { throw new Error('bug') })", 'uncaught exception: Error: bug'],
  ["Promise.reject(new Error('bug'))", 'unhandled rejection: Error: bug'],
])('what nobody caught ends with 1 and a stack: %s', async (fault, words) => {
  const { ended, output } = program(`run(async () => { ${fault}; return { value: 1, stop: async () => {} } })`)
  expect(await ended).toBe(1)
  expect(output.err).toContain(words)
})

test('a stop that fails exits 1', async () => {
  const { child, up, ended, output } = program(
    "run(async () => { console.log('up'); return { value: 1, stop: async () => { throw new AppError('INVALID_STATE', 'disk gone') } } })",
  )
  await up
  child.kill('SIGTERM')
  expect(await ended).toBe(1)
  expect(output.err).toBe('disk gone\n')
})
