import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from './ask.ts'
import { installPackage } from './debian-packages.ts'
import { commandExists, runCommand } from './run-command.ts'
import type { Server } from './server.ts'
import { asUser, folderFor, isRoot } from './unprivileged.ts'

const USER = 'millrace'
const DATABASE = 'millrace'
const SYSTEM_USER = 'postgres'
const DEBIAN_HOME = '/usr/lib/postgresql'

/** Debian keeps the server's programs out of the path, one folder per major version. */
function findProgram(name: string): string | null {
  const versions = existsSync(DEBIAN_HOME) ? readdirSync(DEBIAN_HOME).sort((a, b) => Number(b) - Number(a)) : []
  const found = versions.map((version) => join(DEBIAN_HOME, version, 'bin', name)).find((path) => existsSync(path))
  return found ?? (commandExists(name) ? name : null)
}

async function program(name: string): Promise<string> {
  if (!findProgram('postgres')) await installPackage('postgresql', 'the PostgreSQL server')
  const path = findProgram(name)
  if (!path) throw new Error(`PostgreSQL has no program ${name} on this machine`)
  return path
}

/** The data belongs to the user that the server runs as. */
const dataOf = async (directory: string): Promise<string> => join(await folderFor(SYSTEM_USER, directory), 'data')

async function initialise(data: string, password: string): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return
  const passwordFile = `${data}.password`
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (isRoot()) await runCommand('chown', [`${SYSTEM_USER}:`, passwordFile])
    const args = ['-D', data, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums']
    const [command, ...rest] = asUser(SYSTEM_USER, [await program('initdb'), ...args])
    await runCommand(command, rest, { cwd: '/' })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** The first message of the protocol, asking for TLS; any PostgreSQL server answers with one byte (Frontend/Backend Protocol, SSLRequest). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** PostgreSQL on loopback only, SCRAM passwords, never as root. */
export const postgres: Server = {
  name: 'postgres',
  // Fast shutdown: sessions are ended, the data is left clean.
  stopSignal: 'SIGINT',
  async prepare({ settings, secrets }, directory) {
    const server = await program('postgres')
    const data = await dataOf(directory)
    await initialise(data, secrets.postgres)
    const options = { listen_addresses: '127.0.0.1', port: settings.ports.postgres, unix_socket_directories: '', max_connections: 200 }
    const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return { command: asUser(SYSTEM_USER, [server, '-D', data, ...args]) }
  },
  async answers({ settings, secrets }) {
    await ask(settings.ports.postgres, SSL_REQUEST, (bytes) => bytes.length > 0)
    await query(settings.ports.postgres, secrets.postgres, 'select 1')
    return true
  },
  async settle({ settings, secrets }) {
    const found = await query(settings.ports.postgres, secrets.postgres, `select 1 from pg_database where datname = '${DATABASE}'`)
    if (found.trim() !== '1') await query(settings.ports.postgres, secrets.postgres, `create database ${DATABASE}`)
  },
  environment: ({ settings, secrets }) => ({
    DATABASE_URL: `postgres://${USER}:${secrets.postgres}@127.0.0.1:${settings.ports.postgres}/${DATABASE}`,
  }),
}

async function query(port: number, password: string, text: string): Promise<string> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', 'postgres', '-tAX', '-v', 'ON_ERROR_STOP=1', '-c', text]
  return runCommand(await program('psql'), args, { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: '2' } })
}
