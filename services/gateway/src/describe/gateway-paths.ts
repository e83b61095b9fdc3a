import { apiKeyCreated, apiKeyRequest, apiKeys, auditEntries, gatewayReady } from '@millrace/contracts/http/gateway.ts'
import type { OpenApiPaths } from '@millrace/platform/http/openapi.ts'
import { content, describe, inHeader, inPath, inQuery } from './operation.ts'

const common = { tag: 'gateway', errors: 'problem' } as const
const eventStream = { 'text/event-stream': { schema: { type: 'string' } } }
const plain = { 'text/plain': { schema: { type: 'string' } } }

/** What the gateway answers itself. */
export const gatewayPaths: OpenApiPaths = {
  '/api/v1/keys': {
    get: describe({ ...common, id: 'listKeys', summary: 'API keys, without the keys themselves', answer: content(apiKeys, 'output') }),
    post: describe({
      ...{ ...common, id: 'createKey', summary: 'Makes an API key, shown this once', statuses: [400, 409, 413, 415] },
      body: content(apiKeyRequest, 'input'),
      answer: content(apiKeyCreated, 'output'),
    }),
  },
  '/api/v1/keys/{keyId}': { delete: describe({ ...common, id: 'revokeKey', summary: 'Revokes an API key', parameters: [inPath('keyId')], statuses: [404] }) },
  '/api/v1/calls': {
    get: describe({
      ...{ ...common, id: 'administrativeCalls', summary: 'Administrative calls, newest first', statuses: [400] },
      parameters: [
        inQuery('limit', 'At most 1000', { type: 'integer', default: 100 }),
        inQuery('before', 'A position, for the next page', { type: 'integer' }),
      ],
      answer: content(auditEntries, 'output'),
    }),
  },
  '/api/v1/events': {
    get: describe({
      ...{ ...common, id: 'events', summary: 'Events of the control plane as they happen', answer: eventStream, statuses: [503] },
      parameters: [inHeader('last-event-id', 'Takes up after this event')],
    }),
  },
  '/api/v1/openapi.json': { get: describe({ ...common, id: 'openapi', summary: 'This document', open: true }) },
  '/api/v1/docs': {
    get: describe({ ...common, id: 'docs', summary: 'This document as a page', open: true, answer: { 'text/html': { schema: { type: 'string' } } } }),
  },
  '/health': { get: describe({ ...common, id: 'health', summary: 'Whether the gateway lives', open: true, answer: plain }) },
  '/ready': {
    get: describe({ ...common, id: 'ready', summary: 'Whether every part is ready', open: true, statuses: [503], answer: content(gatewayReady, 'output') }),
  },
  '/metrics': { get: describe({ ...common, id: 'metrics', summary: 'Prometheus metrics of the gateway', answer: plain }) },
}
