import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelSpec } from '@millrace/contracts/model/model-spec.ts'
import { referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { type DigestList, extendDigests, filesOf, goldenEvents, publishedSchemas, readDigests } from '../check/digest-list.ts'
import { asyncapiDocument } from './asyncapi.ts'
import { eventPage } from './event-page.ts'
import { eventSchemas } from './event-schemas.ts'
import { jsonSchema, print } from './json-schema.ts'

function digests(root: string, list: DigestList, contents: ReadonlyMap<string, string | Buffer>): [string, string] {
  return [list.list, print(extendDigests(readDigests(root, list), list, contents))]
}

/** Every generated file of the repository: its path and its content. Lists of digests take up what is new and keep what they hold. */
export function generatedFiles(root: string): Map<string, string> {
  const schemas = eventSchemas()
  const golden = new Map(filesOf(root, goldenEvents).map((path) => [path, readFileSync(join(root, path))]))
  return new Map([
    ...schemas,
    digests(root, publishedSchemas, schemas),
    digests(root, goldenEvents, golden),
    ['contracts/schemas/model/millrace-model.json', print(jsonSchema(modelSpec, 'https://schemas.millrace.io/millrace-model/1.json', 'millrace-model.json'))],
    [
      'contracts/schemas/model/reference-profile.json',
      print(jsonSchema(referenceProfile, 'https://schemas.millrace.io/reference-profile/1.json', 'Reference profile')),
    ],
    ['contracts/schemas/asyncapi.json', print(asyncapiDocument())],
    ['docs/events.md', eventPage()],
  ])
}
