import type { Route } from '@millrace/platform/http/route.ts'

/** The same routes for clients and for browsers. */
export const mountMlflow = (routes: readonly Route[]): Route[] => under(['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'], routes)
export const mountArtifactProxy = (routes: readonly Route[]): Route[] => under(['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts'], routes)

export const under = (prefixes: readonly string[], routes: readonly Route[]): Route[] =>
  prefixes.flatMap((prefix) => routes.map((route) => ({ ...route, path: `${prefix}${route.path}` })))
