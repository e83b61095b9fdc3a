import { expect, test } from 'vitest'
import { exampleOf } from './example-announcement.ts'
import { bodyOf, describeChange } from './registry-change.ts'
import { eventOfName, nameOfEvent, readEvent } from './webhook-event.ts'

const prompt = { 'mlflow.prompt.is_prompt': 'true', _mlflow_prompt_type: 'text', 'mlflow.prompt.text': 'Hi {{name}}', team: 'lake' }

test('a body is compact JSON with the fields that MLflow sends', () => {
  const change = describeChange({ kind: 'version-created', name: 'fish', version: 3, source: 'runs:/r/model', runId: '', tags: { a: 'b' }, description: '' })
  expect(change && bodyOf(change, new Date('2026-01-02T03:04:05.678Z'))).toBe(
    '{"entity":"model_version","action":"created","timestamp":"2026-01-02T03:04:05.678Z",' +
      '"data":{"name":"fish","version":"3","source":"runs:/r/model","run_id":null,"tags":{"a":"b"},"description":null}}',
  )
})

test('prompts have events of their own, without the tags that make them prompts', () => {
  expect(describeChange({ kind: 'model-created', name: 'hi', tags: prompt, description: 'd' })).toEqual({
    ...{ entity: 'PROMPT', action: 'CREATED' },
    data: { name: 'hi', tags: { team: 'lake' }, description: 'd' },
  })
  const version = { kind: 'version-created', name: 'hi', version: 1, source: 'x', runId: '', tags: prompt, description: 'd' } as const
  expect(describeChange(version)).toEqual({
    ...{ entity: 'PROMPT_VERSION', action: 'CREATED' },
    data: { name: 'hi', version: '1', template: 'Hi {{name}}', tags: { team: 'lake' }, description: 'd' },
  })
})

test('a tag of a registered model has an event only where it is a prompt', () => {
  expect(describeChange({ kind: 'model-tag', prompt: false, name: 'fish', key: 'k', value: 'v' })).toBeNull()
  expect(describeChange({ kind: 'model-tag', prompt: true, name: 'hi', key: 'k', value: null })).toMatchObject({ entity: 'PROMPT_TAG', action: 'DELETED' })
})

test.each([
  ['REGISTERED_MODEL', 'CREATED', ['name', 'tags', 'description']],
  ['MODEL_VERSION', 'CREATED', ['name', 'version', 'source', 'run_id', 'tags', 'description']],
  ['MODEL_VERSION_TAG', 'SET', ['name', 'version', 'key', 'value']],
  ['MODEL_VERSION_TAG', 'DELETED', ['name', 'version', 'key']],
  ['MODEL_VERSION_ALIAS', 'CREATED', ['name', 'alias', 'version']],
  ['MODEL_VERSION_ALIAS', 'DELETED', ['name', 'alias']],
  ['PROMPT', 'CREATED', ['name', 'tags', 'description']],
  ['PROMPT_VERSION', 'CREATED', ['name', 'version', 'template', 'tags', 'description']],
  ['PROMPT_TAG', 'SET', ['name', 'key', 'value']],
  ['PROMPT_TAG', 'DELETED', ['name', 'key']],
  ['PROMPT_VERSION_TAG', 'SET', ['name', 'version', 'key', 'value']],
  ['PROMPT_VERSION_TAG', 'DELETED', ['name', 'version', 'key']],
  ['PROMPT_ALIAS', 'CREATED', ['name', 'alias', 'version']],
  ['PROMPT_ALIAS', 'DELETED', ['name', 'alias']],
])('%s %s can be followed and tried, with %j', (entity, action, fields) => {
  const event = readEvent(entity, action)
  if (typeof event === 'string') throw new Error(event)
  expect(eventOfName(nameOfEvent(event))).toEqual({ entity, action })
  expect(Object.keys(exampleOf(event).data)).toEqual(fields)
  expect(exampleOf(event)).toMatchObject({ entity, action, data: { name: entity.startsWith('PROMPT') ? 'example_prompt' : 'example_model' } })
})
