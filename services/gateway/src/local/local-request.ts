import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Permission } from '@millrace/platform/access/permission.ts'
import type { Access } from '@millrace/platform/http/identity.ts'
import type { Caller } from '../access/authenticate.ts'

/** A request that the gateway answers itself. */
export interface LocalRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: Caller
  readonly path: string
  readonly requestId: string
}

/** Something that the gateway answers itself, under `path` or, where that ends with `/`, under a path with one more segment. */
export interface LocalRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly access: Access
  /** Where `access` does not say it all. */
  readonly permission?: Permission
  readonly handle: (local: LocalRequest) => Promise<void>
}
