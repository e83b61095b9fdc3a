import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Locators, Permission } from './access/permission.ts'
import type { EventHandler } from './events/handler.ts'
import type { PublicTls } from './http/public-tls.ts'
import type { Route } from './http/route.ts'

/** A loop that makes the calls which transactions only record. Resumable: whatever it had not finished when the process died, it finds again. */
export interface Job {
  readonly name: string
  /** Longest pause between two runs; `wake` cuts it short. */
  readonly everyMs: number
  /** One pass. Returns true when there is more to do at once. A throw is logged and retried with growing pauses. */
  readonly run: (signal: AbortSignal) => Promise<boolean>
}

/** A shared subscription: its group is `<service>` or `<service>.<name>`. */
export interface Consumer {
  readonly group: string
  readonly handlers: readonly EventHandler[]
}

/** Whether a part can do its work; `detail` is shown on /ready. */
export interface Readiness {
  readonly ready: boolean
  readonly detail: Readonly<Record<string, unknown>>
}

/**
 * The prediction path: looked at before Express, on `node:http` itself. Returns false when the request is none of its own.
 */
export type DirectHandler = (request: IncomingMessage, response: ServerResponse) => boolean

/** A route that a service answers itself, past the host's. */
export interface DirectRoute {
  readonly method: string
  readonly path: string
  readonly permission: Permission | undefined
}

/** A service is a value. A host gives it adapters, a port and a process. */
export interface Service {
  readonly name: string
  readonly routes: readonly Route[]
  /** Find the resource that a request is about, by the name that its route's permission gives. */
  readonly locators?: Locators
  readonly consumers: readonly Consumer[]
  readonly jobs: readonly Job[]
  readonly direct?: DirectHandler
  /** What `direct` answers, for those who check it; asked once the service has started. */
  readonly directRoutes?: () => readonly DirectRoute[]
  /** TLS on the port for everybody; plain HTTP, or the host's mutual TLS, without it. */
  readonly publicTls?: PublicTls
  /** Answers a protocol upgrade or long stream that routes cannot; none by default. */
  readonly readiness: () => Promise<Readiness>
  /** Starts what is neither route, consumer nor job (worker threads, broadcast followers). Called before the port opens. */
  readonly start?: () => Promise<void>
  /** Drains it; called after the port closed. */
  readonly stop?: () => Promise<void>
}
