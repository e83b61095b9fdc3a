import { artifactManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { bytes, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { RegistryDeps } from '../deps.ts'
import { isArtifactPath } from '../domain/source.ts'
import { requireVersion } from '../load-model.ts'
import { name, version } from './mlflow-fields.ts'

const MAX_MANIFEST_BYTES = 16 * 1_048_576

const path = z.string().superRefine((value, context) => {
  if (!isArtifactPath(value)) context.addIssue({ code: 'custom', message: "Invalid path: expected that of a sealed file, relative and without '..'" })
})

/** One file of a version, as it was sealed: what lies under its path by now does not matter, and nothing outside the manifest can be named. */
export const createArtifactRoute = ({ database, blobs }: Pick<RegistryDeps, 'database' | 'blobs'>): Route =>
  route({
    method: 'GET',
    path: '/model-versions/get-artifact',
    access: 'read',
    errors: 'mlflow',
    summary: 'Downloads a file of a version.',
    query: z.looseObject({ name, version, path }),
    handle: async ({ query }) => {
      const { artifact } = await requireVersion(database, query.name, query.version)
      const manifest = artifact && artifactManifest.parse(JSON.parse((await blobs.read(artifact.sha256, MAX_MANIFEST_BYTES)).toString('utf8')))
      const file = manifest?.files.find((candidate) => candidate.path === query.path)
      if (!file)
        throw new AppError('RESOURCE_DOES_NOT_EXIST', `Model Version (name=${query.name}, version=${query.version}) has no sealed file '${query.path}'`)
      const fileName = encodeURIComponent(file.path.slice(file.path.lastIndexOf('/') + 1)).replaceAll(/['()*]/g, percentEncode)
      return bytes(await blobs.open(file.sha256), {
        'content-type': 'application/octet-stream',
        'content-length': String(file.sizeBytes),
        // RFC 8187: a name with any character.
        'content-disposition': `attachment; filename*=UTF-8''${fileName}`,
      })
    },
  })

const percentEncode = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
