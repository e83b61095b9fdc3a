// The one door to Millrace: runs on any Node >= 18, installs once, and hands over to a Node that runs TypeScript natively.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NEEDED = [22, 19]

const entryPoints = {
  start: ['services/all-in-one/src/main.ts'],
  tour: ['services/all-in-one/src/tour/main.ts'],
  urls: ['services/all-in-one/src/commands/main.ts', 'urls'],
  status: ['services/all-in-one/src/commands/main.ts', 'status'],
  stop: ['services/all-in-one/src/commands/main.ts', 'stop'],
  reset: ['services/all-in-one/src/commands/main.ts', 'reset'],
  cluster: ['scripts/cluster/cluster.ts'],
  redrive: ['scripts/redrive.ts'],
  'audit:verify': ['scripts/audit/verify.ts'],
  infra: ['scripts/infra/infra.ts'],
  provision: ['scripts/provision/provision.ts'],
  'init-env': ['scripts/init-env/init-env.ts'],
  bench: ['scripts/bench/bench.ts'],
  'bench:serving': ['scripts/bench/serving/serving-bench.ts'],
  'bench:tracking': ['scripts/bench/tracking/tracking-bench.ts'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  check: ['scripts/check/check.ts'],
  generate: ['scripts/generate/generate.ts'],
}

const services = ['tracking', 'registry', 'promoter', 'trainer', 'drift-monitor', 'inference', 'gateway']

function fail(message) {
  process.stderr.write(`millrace: ${message}\n`)
  process.exit(1)
}

/** Runs `npm ci` when what is installed is not what the lockfile says; quiet unless it fails. */
function install() {
  const stamp = join(root, 'node_modules', '.millrace-lock')
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  process.stdout.write('Installing dependencies (once, about a minute) ...\n')
  const started = Date.now()
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  const result = spawnSync(npm[0], [...npm.slice(1), 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_ENV: 'development' },
  })
  if (result.status !== 0) fail(`npm ci failed: check the network and the disk, then try again.\n${result.stderr || result.error?.message || ''}`)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
  process.stdout.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`)
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/** This Node where it can run TypeScript, else the one that the lockfile pins for the platform. */
function fittingNode() {
  if (isNewEnough(process.versions.node)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const bundled = join(root, 'node_modules', name, 'bin', 'node')
  if (existsSync(bundled)) return bundled
  return fail(`Node ${process.versions.node} is too old and there is no ${name} package: install Node ${NEEDED.join('.')} or newer.`)
}

/** Native parts come as optional packages, which npm leaves out without a word where they do not fit. */
function checkNativeParts() {
  const require = createRequire(join(root, 'platform', 'package.json'))
  for (const name of ['onnxruntime-node', 'sharp']) {
    try {
      require.resolve(name)
    } catch {
      fail(`the package ${name} is not installed for ${process.platform}-${process.arch}: remove node_modules and try again.`)
    }
  }
}

/** `service <name>` runs one service; every other command is a program of its own. */
function entryOf(command, rest) {
  if (command !== 'service') return entryPoints[command]
  const name = rest.shift()
  if (!services.includes(name)) fail(`unknown service '${name ?? ''}': expected npm run service <name> with one of ${services.join(', ')}.`)
  return [`services/${name}/src/main.ts`]
}

const [command = '', ...rest] = process.argv.slice(2)
const entry = entryOf(command, rest)
if (!entry) fail(`unknown command '${command}': expected one of ${[...Object.keys(entryPoints), 'service'].join(', ')}.`)
install()
checkNativeParts()
const node = fittingNode()
// Two arenas: native threads (images, ONNX) otherwise keep freed memory each for itself, a quarter of the resident size after a training. Blocks from 1 MB on by themselves: the
// threshold otherwise grows to the largest block that was freed, and the weights of models that were replaced stay in the arenas, a third of a pod's size after 100 swaps.
const memory = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' }
const env = { ...memory, ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}`, NODE_NO_WARNINGS: '1' }
const child = spawn(node, [join(root, entry[0]), ...entry.slice(1), ...rest], { cwd: root, stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`))
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
