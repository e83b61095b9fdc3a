import { type Announcement, describeChange, type RegistryChange } from './registry-change.ts'
import { nameOfEvent, type WebhookEvent } from './webhook-event.ts'

const tags = { example_key: 'example_value' }
const name = 'example_model'
const prompt = 'example_prompt'
const promptTag = { 'mlflow.prompt.is_prompt': 'true' }
const tag = { key: 'example_key', value: 'example_value' }
const noTag = { key: 'example_key', value: null }

const changes: readonly RegistryChange[] = [
  { kind: 'model-created', name, tags, description: 'An example registered model' },
  { kind: 'version-created', name, version: 1, source: 'models:/123', runId: 'abcd1234abcd5678', tags, description: 'An example model version' },
  { kind: 'version-tag', prompt: false, name, version: 1, ...tag },
  { kind: 'version-tag', prompt: false, name, version: 1, ...noTag },
  { kind: 'alias', prompt: false, name, alias: 'example_alias', version: 1 },
  { kind: 'alias', prompt: false, name, alias: 'example_alias', version: null },
  { kind: 'model-created', name: prompt, tags: { ...tags, ...promptTag }, description: 'An example prompt' },
  {
    ...{ kind: 'version-created', name: prompt, version: 1, source: '', runId: '', description: 'An example prompt version' },
    tags: { ...tags, ...promptTag, 'mlflow.prompt.text': 'Hello {{name}}!' },
  },
  { kind: 'model-tag', prompt: true, name: prompt, ...tag },
  { kind: 'model-tag', prompt: true, name: prompt, ...noTag },
  { kind: 'version-tag', prompt: true, name: prompt, version: 1, ...tag },
  { kind: 'version-tag', prompt: true, name: prompt, version: 1, ...noTag },
  { kind: 'alias', prompt: true, name: prompt, alias: 'example_alias', version: 1 },
  { kind: 'alias', prompt: true, name: prompt, alias: 'example_alias', version: null },
]

/** Millrace has no budgets; whoever follows them can still try their receiver. */
const budget = {
  ...{ budget_policy_id: 'bp-abc123', budget_unit: 'USD', budget_amount: 100, current_spend: 105.5, duration_unit: 'MONTHS', duration_value: 1 },
  ...{ target_scope: 'ENDPOINT', workspace: 'default', target_value: 'ep-abc123', window_start: 1_704_067_200_000 },
}

const examples = new Map(changes.flatMap((change) => describeChange(change) ?? []).map((example) => [nameOfEvent(example), example]))

/** What a trial of a webhook sends: MLflow's own example of the event. */
export const exampleOf = (event: WebhookEvent): Announcement => examples.get(nameOfEvent(event)) ?? { ...event, data: budget }
