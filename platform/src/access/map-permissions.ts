import type { Method, Route } from '../http/route.ts'
import type { Permission } from './permission.ts'

/** Permissions by method and path below the prefix: `GET /runs/get`. */
export type PermissionTable = Readonly<Partial<Record<`${Method} ${string}`, Permission>>>

/**
 * Gives every route its permission by the path below its prefix, so that one under which browsers ask can never be laxer than that of the clients
 * (CVE-2026-2651). A route that the table does not name keeps what it declares itself; one without any is found by the check over all services.
 */
export const mapPermissions = (table: PermissionTable, prefixes: readonly string[], routes: readonly Route[]): Route[] =>
  routes.map((route) => {
    const prefix = prefixes.find((candidate) => route.path.startsWith(`${candidate}/`)) ?? ''
    const permission = table[`${route.method} ${route.path.slice(prefix.length)}`]
    return permission === undefined || route.permission !== undefined ? route : { ...route, permission }
  })
