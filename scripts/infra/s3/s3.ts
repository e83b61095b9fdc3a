import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandExists, runCommand } from '../run-command.ts'
import type { Server } from '../server.ts'

const BUCKET = 'millrace'
const ACCESS_KEY = 'millrace'
const TOOL = 'github.com/versity/versitygw/cmd/versitygw'
const source = import.meta.dirname

/** Builds the gateway that go.mod and go.sum pin, once per machine; go.sum holds the digest of every module, so that a changed download is refused. */
async function build(cache: string): Promise<string> {
  const digest = createHash('sha256')
    .update(readFileSync(join(source, 'go.mod')))
    .update(readFileSync(join(source, 'go.sum')))
    .digest('hex')
  const binary = join(cache, 's3', digest.slice(0, 16), 'versitygw')
  if (existsSync(binary)) return binary
  if (!commandExists('go')) throw new Error('Go is missing: install Go 1.25 or newer to build the S3 server, or set S3_ENDPOINT to a server of your own')
  process.stderr.write('Building the S3 server (once, about two minutes) ...\n')
  mkdirSync(join(binary, '..'), { recursive: true })
  await runCommand('go', ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', binary, TOOL], { cwd: source })
  return binary
}

/** Versity S3 Gateway over a folder: every folder at the top is a bucket. Metadata lie in a folder of their own, because not every file system has extended attributes. */
export const s3: Server = {
  name: 's3',
  async prepare({ settings, secrets }, directory) {
    const binary = await build(settings.cache)
    const objects = join(directory, 'objects')
    const metadata = join(directory, 'metadata')
    mkdirSync(join(objects, BUCKET), { recursive: true })
    mkdirSync(metadata, { recursive: true })
    const listen = ['--port', `127.0.0.1:${settings.ports.s3}`, '--health', '/health', '--quiet']
    const env = { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: secrets.s3 }
    return { command: [binary, ...listen, 'posix', '--sidecar', metadata, objects], env }
  },
  async answers({ settings }) {
    const response = await fetch(`http://127.0.0.1:${settings.ports.s3}/health`, { signal: AbortSignal.timeout(1000) })
    return response.ok
  },
  environment: ({ settings, secrets }) => ({
    S3_ENDPOINT: `http://127.0.0.1:${settings.ports.s3}`,
    S3_BUCKET: BUCKET,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: secrets.s3,
  }),
}
