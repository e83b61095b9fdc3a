import { eventOfName, type WebhookEvent } from './webhook-event.ts'

type Tags = Readonly<Record<string, string>>

/** A change that webhooks may follow. Of a prompt, which is a model with a tag, they are told by events of its own. */
export type RegistryChange =
  | { readonly kind: 'model-created'; readonly name: string; readonly tags: Tags; readonly description: string }
  | {
      readonly kind: 'version-created'
      readonly name: string
      readonly version: number
      readonly source: string
      readonly runId: string
      readonly tags: Tags
      readonly description: string
    }
  | { readonly kind: 'model-tag'; readonly prompt: boolean; readonly name: string; readonly key: string; readonly value: string | null }
  | {
      readonly kind: 'version-tag'
      readonly prompt: boolean
      readonly name: string
      readonly version: number
      readonly key: string
      readonly value: string | null
    }
  | { readonly kind: 'alias'; readonly prompt: boolean; readonly name: string; readonly alias: string; readonly version: number | null }

export interface Announcement extends WebhookEvent {
  readonly data: Readonly<Record<string, unknown>>
}

const PROMPT_TAG = 'mlflow.prompt.is_prompt'
const PROMPT_TEXT = 'mlflow.prompt.text'
const INTERNAL_TAGS: readonly string[] = [PROMPT_TAG, PROMPT_TEXT, '_mlflow_prompt_type']

export const isPromptTagged = (tags: Tags): boolean => String(tags[PROMPT_TAG]).toLowerCase() === 'true'

const announce = (event: string, data: Announcement['data']): Announcement => ({ ...eventOfName(event), data })
const publicTags = (tags: Tags): Tags => Object.fromEntries(Object.entries(tags).filter(([key]) => !INTERNAL_TAGS.includes(key)))

/** The event of a change with the fields that MLflow gives it; null where MLflow has no event for it. */
export function describeChange(change: RegistryChange): Announcement | null {
  switch (change.kind) {
    case 'model-created':
      return describeModel(change)
    case 'version-created':
      return describeVersion(change)
    case 'model-tag':
      return change.prompt ? describeTag('prompt_tag', { name: change.name }, change) : null
    case 'version-tag':
      return describeTag(change.prompt ? 'prompt_version_tag' : 'model_version_tag', { name: change.name, version: String(change.version) }, change)
    case 'alias':
      return describeAlias(change)
    default:
      return change satisfies never
  }
}

function describeModel({ name, tags, description }: RegistryChange & { kind: 'model-created' }): Announcement {
  if (isPromptTagged(tags)) return announce('prompt.created', { name, tags: publicTags(tags), description })
  return announce('registered_model.created', { name, tags, description })
}

function describeVersion(change: RegistryChange & { kind: 'version-created' }): Announcement {
  const { name, source, tags } = change
  const version = String(change.version)
  const description = change.description || null
  if (!isPromptTagged(tags)) return announce('model_version.created', { name, version, source, run_id: change.runId || null, tags, description })
  return announce('prompt_version.created', { name, version, template: PROMPT_TEXT in tags ? tags[PROMPT_TEXT] : null, tags: publicTags(tags), description })
}

function describeTag(entity: string, subject: Readonly<Record<string, string>>, { key, value }: { key: string; value: string | null }): Announcement {
  return value === null ? announce(`${entity}.deleted`, { ...subject, key }) : announce(`${entity}.set`, { ...subject, key, value })
}

function describeAlias({ prompt, name, alias, version }: RegistryChange & { kind: 'alias' }): Announcement {
  const entity = prompt ? 'prompt_alias' : 'model_version_alias'
  return version === null ? announce(`${entity}.deleted`, { name, alias }) : announce(`${entity}.created`, { name, alias, version: String(version) })
}

/** The body of a delivery: compact JSON. */
export const bodyOf = ({ entity, action, data }: Announcement, time: Date): string =>
  JSON.stringify({ entity: entity.toLowerCase(), action: action.toLowerCase(), timestamp: time.toISOString(), data })
