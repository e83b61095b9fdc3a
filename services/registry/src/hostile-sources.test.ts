import { expect, test } from 'vitest'
import { registered, runningRegistry } from './testing/running-registry.ts'

const prompt = { tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] }

test('CVE-2023-1177, CVE-2023-2780, CVE-2025-11201, CVE-2026-2614: the service itself makes no version of a local file or a path that climbs', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  const sources = [
    'file:///etc/passwd',
    '%66ile:/etc',
    '/etc/passwd',
    'C:\\x',
    '..',
    'mlflow-artifacts:/%252e%252e/x',
    'runs:/r/../x',
    's3://b/%2e%2e/x',
    'models:/fish/../1',
    'x\u0000',
  ]
  for (const source of sources)
    for (const more of [{}, { run_id: 'r' }, prompt]) {
      const answer = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source, ...more })
      expect([source, answer.status, answer.body['error_code']]).toEqual([source, 400, 'INVALID_PARAMETER_VALUE'])
      expect(answer.body['message']).toMatch(/Invalid (model version|prompt) source/)
    }
  expect((await registry.mlflow('GET', 'model-versions/search')).body).toEqual({})
})

test('CVE-2024-1594, PR #21435: a file of a version is given by its name in the manifest alone, as an attachment that is not sniffed', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const read = (path: string) => registry.send('GET', `/model-versions/get-artifact?name=fish&version=1&path=${path}`)
  const told = await read('millrace-model.json')
  expect(told.status).toBe(200)
  expect(told.headers.get('content-type')).toBe('application/octet-stream')
  expect(told.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(told.headers.get('x-content-type-options')).toBe('nosniff')
  for (const path of ['../x', '%2e%2e/x', '%252e%252e/x', '..%5cx', '%2fetc/passwd', 'file:/etc', 'x%23', 'x%00', 'x%253f', 'a//b', './a', ''])
    expect([path, (await read(path)).status]).toEqual([path, 400])
  for (const path of ['absent', 'model.onnx/x', 'MODEL.ONNX', 'constructor']) expect([path, (await read(path)).status]).toEqual([path, 404])
})
