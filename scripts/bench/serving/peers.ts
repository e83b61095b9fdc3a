import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Started } from '@millrace/platform/component.ts'
import { type BenchModel, rowOf } from './models.ts'
import { type ServerProcess, startServer } from './server-process.ts'

/** How one row is asked for. */
export interface Question {
  readonly url: string
  readonly path: string
  readonly body: string
}

export interface Peer {
  readonly name: string
  /** The Python package, for its version. */
  readonly package: string
  start(place: PeerPlace): Promise<Started<{ process: ServerProcess; question: Question }>>
}

export interface PeerPlace {
  /** Holds one virtual environment for each peer. */
  readonly environments: string
  /** For what is written meanwhile. */
  readonly directory: string
  readonly model: BenchModel
  readonly modelFile: string
  readonly port: number
}

const programs = join(import.meta.dirname, 'peers')
const inputs = ({ shape }: BenchModel): string => JSON.stringify({ inputs: [rowOf(shape)] })

/** The Open Inference Protocol's request, in JSON. */
export const inferBody = ({ shape }: BenchModel): string =>
  JSON.stringify({ inputs: [{ name: 'x', shape: [1, ...shape], datatype: 'FP32', data: [rowOf(shape)].flat(shape.length) }] })

interface Starting {
  readonly name: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly ready: string
  readonly path: string
  readonly body: string
}

async function start(place: PeerPlace, { name, args, env = {}, cwd, ready, path, body }: Starting) {
  const [program = '', ...rest] = args
  const url = `http://127.0.0.1:${place.port}`
  const bin = join(place.environments, name, 'bin')
  const own = {
    PATH: `${bin}:${process.env['PATH']}`,
    MODEL_FILE: place.modelFile,
    OMP_NUM_THREADS: '1',
    DO_NOT_TRACK: 'true',
    BENTOML_DO_NOT_TRACK: 'true',
    ...env,
  }
  const started = await startServer({
    name,
    command: join(bin, program),
    args: rest,
    cwd: cwd ?? programs,
    env: { ...process.env, ...own, PYTHONPATH: programs },
    log: join(place.directory, `${name}-${place.model.name}.log`),
    readyUrl: `${url}${ready}`,
  })
  return { value: { process: started.value, question: { url, path, body } }, stop: started.stop }
}

const fastapi: Peer = {
  name: 'FastAPI + ONNX Runtime',
  package: 'fastapi',
  start: (place) =>
    start(place, {
      name: 'fastapi',
      args: ['uvicorn', 'fastapi_app:app', '--port', String(place.port), '--workers', '2', '--log-level', 'warning'],
      ready: '/docs',
      path: '/predict',
      body: inputs(place.model),
    }),
}

const bentoml: Peer = {
  name: 'BentoML',
  package: 'bentoml',
  start: (place) =>
    start(place, {
      name: 'bentoml',
      args: ['bentoml', 'serve', 'bento_app:Classifier', '--port', String(place.port)],
      env: { BENTOML_HOME: join(place.directory, 'bentoml') },
      ready: '/readyz',
      path: '/predict',
      body: inputs(place.model),
    }),
}

const ray: Peer = {
  name: 'Ray Serve',
  package: 'ray',
  start: (place) => {
    const config = join(place.directory, `ray-${place.port}.yaml`)
    writeFileSync(
      config,
      `http_options: {host: 127.0.0.1, port: ${place.port}}\napplications: [{name: default, route_prefix: /, import_path: "ray_app:app"}]\n`,
    )
    return start(place, {
      name: 'ray',
      args: ['serve', 'run', config],
      env: { RAY_USAGE_STATS_ENABLED: '0' },
      ready: '/-/healthz',
      path: '/',
      body: inputs(place.model),
    })
  },
}

const mlserver: Peer = {
  name: 'MLServer',
  package: 'mlserver',
  start: (place) => {
    const cwd = join(place.directory, `mlserver-${place.model.name}`)
    mkdirSync(cwd, { recursive: true })
    const ports = { http_port: place.port, grpc_port: place.port + 1, metrics_port: place.port + 2 }
    writeFileSync(join(cwd, 'settings.json'), JSON.stringify({ ...ports, parallel_workers: 2, host: '127.0.0.1', debug: false, access_logger_enabled: false }))
    const batching = { max_batch_size: 32, max_batch_time: 0.001 }
    writeFileSync(join(cwd, 'model-settings.json'), JSON.stringify({ name: place.model.name, implementation: 'mlserver_app.OnnxModel', ...batching }))
    return start(place, {
      name: 'mlserver',
      args: ['mlserver', 'start', '.'],
      cwd,
      ready: '/v2/health/ready',
      path: `/v2/models/${place.model.name}/infer`,
      body: inferBody(place.model),
    })
  },
}

const mlflow: Peer = {
  name: 'MLflow scoring server',
  package: 'mlflow',
  start: (place) => {
    const folder = join(place.directory, `mlflow-${place.model.name}`)
    const python = join(place.environments, 'mlflow', 'bin', 'python')
    if (!existsSync(folder)) execFileSync(python, [join(programs, 'save_mlflow.py'), place.modelFile, folder], { stdio: 'pipe' })
    return start(place, {
      name: 'mlflow',
      args: ['mlflow', 'models', 'serve', '-m', folder, '--env-manager', 'local', '--workers', '2', '--host', '127.0.0.1', '--port', String(place.port)],
      ready: '/ping',
      path: '/invocations',
      body: inputs(place.model),
    })
  },
}

const all: readonly Peer[] = [mlflow, mlserver, bentoml, ray, fastapi]

/** Those that are installed, each with its version. */
export function installedPeers(environments: string): { peer: Peer; version: string }[] {
  return all.flatMap((peer) => {
    const python = join(environments, peer.package, 'bin', 'python')
    if (!existsSync(python)) return []
    const ask = `import importlib.metadata as m; print(m.version('${peer.package}'))`
    return [{ peer, version: execFileSync(python, ['-c', ask], { encoding: 'utf8' }).trim() }]
  })
}

/** ONNX Runtime alone, in Python: rows per second and milliseconds of one run. */
export function measureFloor(environments: string, file: string, shape: readonly number[], seconds: number): { perSecond: number; p50: number } {
  const args = [join(programs, 'floor.py'), file, shape.join(','), String(seconds)]
  const [perSecond = Number.NaN, p50 = Number.NaN] = execFileSync(join(environments, 'fastapi', 'bin', 'python'), args, { encoding: 'utf8' })
    .split(' ')
    .map(Number)
  return { perSecond, p50 }
}
