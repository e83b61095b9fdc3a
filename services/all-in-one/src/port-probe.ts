import { createServer } from 'node:net'
import { AppError } from '@millrace/platform/errors.ts'

/** Says at once, before a database is opened, that the port cannot be had. @throws AppError RESOURCE_CONFLICT */
export async function refuseTakenPort(host: string, port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refusal(host, port, cause)))
    server.listen(port, host, resolve)
  })
  await new Promise((resolve) => server.close(resolve))
}

function refusal(host: string, port: number, cause: NodeJS.ErrnoException): AppError {
  if (cause.code === 'EADDRINUSE')
    return new AppError('RESOURCE_CONFLICT', `Port ${port} on ${host} is taken: stop what uses it, or set PORT to another one.`, { cause })
  return new AppError(
    'INVALID_PARAMETER_VALUE',
    `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): set HOST and PORT to an address of this machine.`,
    { cause },
  )
}
