import { Readable } from 'node:stream'
import { auditHead } from '@millrace/contracts/audit/audit-chain.ts'
import { bytes, ok, type Route, route } from '@millrace/platform/http/route.ts'
import type { RegistryDeps } from '../deps.ts'
import { exportAudit, readAuditHead } from './export-audit.ts'

/** The trail of everything, for those who check it. */
export const createAuditRoutes = (deps: Pick<RegistryDeps, 'database' | 'clock'>): Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/audit/head',
    access: 'admin',
    summary: 'Where the chains of the audit trail end now: kept elsewhere, it proves later that nothing before was rewritten.',
    response: auditHead,
    handle: async () => ok(await readAuditHead(deps), { 'cache-control': 'no-store' }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit/export',
    access: 'admin',
    summary: 'The whole audit trail as lines of JSON, chained by their hashes.',
    handle: async (request) =>
      bytes(Readable.from(exportAudit(deps, request.signal)), {
        'content-type': 'application/x-ndjson',
        'content-disposition': 'attachment; filename="audit.ndjson"',
        'cache-control': 'no-store',
      }),
  }),
]
