/** What webhooks can follow, as MLflow names it: the actions of each entity, in the order of its wire format's numbers. */
const ACTIONS_OF = {
  REGISTERED_MODEL: ['CREATED'],
  MODEL_VERSION: ['CREATED'],
  MODEL_VERSION_TAG: ['SET', 'DELETED'],
  MODEL_VERSION_ALIAS: ['CREATED', 'DELETED'],
  PROMPT: ['CREATED'],
  PROMPT_VERSION: ['CREATED'],
  PROMPT_TAG: ['SET', 'DELETED'],
  PROMPT_VERSION_TAG: ['SET', 'DELETED'],
  PROMPT_ALIAS: ['CREATED', 'DELETED'],
  BUDGET_POLICY: ['EXCEEDED'],
} as const

type Entity = keyof typeof ACTIONS_OF

/** Their place is their number on the wire; 0 is none. */
const ENTITIES = Object.keys(ACTIONS_OF)
const ACTIONS = ['CREATED', 'UPDATED', 'DELETED', 'SET', 'EXCEEDED']

export interface WebhookEvent {
  /** In capitals, such as `MODEL_VERSION`. */
  readonly entity: string
  readonly action: string
}

/** `model_version.created`: the spelling of bodies, and of what is stored. */
export const nameOfEvent = ({ entity, action }: WebhookEvent): string => `${entity}.${action}`.toLowerCase()

/** The event of a stored name. */
export function eventOfName(name: string): WebhookEvent {
  const [entity = '', action = ''] = name.toUpperCase().split('.')
  return { entity, action }
}

const isEntity = (name: string): name is Entity => Object.hasOwn(ACTIONS_OF, name)

/** A name in any case, or its number; null where there is none of that kind. */
function known(value: string | number, names: readonly string[]): string | null {
  const name = typeof value === 'number' || /^\d+$/.test(value) ? names[Number(value) - 1] : value.toUpperCase()
  return name !== undefined && names.includes(name) ? name : null
}

/** Reads an entity and an action as a request spells them: the event, or what is wrong with them. */
export function readEvent(entity: string | number, action: string | number): WebhookEvent | string {
  const knownEntity = known(entity, ENTITIES)
  if (knownEntity === null || !isEntity(knownEntity)) return `Invalid webhook entity '${entity}'. Valid entities are: ${ENTITIES.join(', ')}`
  const knownAction = known(action, ACTIONS)
  const allowed: readonly string[] = ACTIONS_OF[knownEntity]
  if (knownAction !== null && allowed.includes(knownAction)) return { entity: knownEntity, action: knownAction }
  const valid = allowed.map((each) => `'${each.toLowerCase()}'`).sort()
  return `Invalid action '${String(knownAction ?? action).toLowerCase()}' for entity '${knownEntity.toLowerCase()}'. Valid actions are: [${valid.join(', ')}]`
}
