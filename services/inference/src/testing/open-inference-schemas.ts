import type { z } from 'zod'

type Schema = z.core.JSONSchema.JSONSchema

/**
 * What the Open Inference Protocol's OpenAPI document (kserve/open-inference-protocol, specification/protocol/open_inference_rest.yaml, of 2023) asks of
 * answers, as JSON Schema in our own words. `data` is not required of an output whose bytes follow the JSON (binary tensor extension).
 */
const tensorFields: Record<string, Schema> = { name: { type: 'string' }, datatype: { type: 'string' }, shape: { type: 'array', items: { type: 'integer' } } }

const tensorMetadata: Schema = {
  type: 'object',
  properties: tensorFields,
  required: ['name', 'datatype', 'shape'],
}

export const serverMetadataSchema: Schema = {
  type: 'object',
  properties: { name: { type: 'string' }, version: { type: 'string' }, extensions: { type: 'array', items: { type: 'string' } } },
  required: ['name', 'version', 'extensions'],
}

export const modelMetadataSchema: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    versions: { type: 'array', items: { type: 'string' } },
    platform: { type: 'string' },
    inputs: { type: 'array', items: tensorMetadata },
    outputs: { type: 'array', items: tensorMetadata },
    properties: { type: 'object', additionalProperties: { type: 'string' } },
  },
  required: ['name', 'platform'],
}

const element: Schema = { anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'boolean' }] }

export const inferenceResponseSchema: Schema = {
  type: 'object',
  properties: {
    model_name: { type: 'string' },
    model_version: { type: 'string' },
    id: { type: 'string' },
    parameters: { type: 'object' },
    outputs: {
      type: 'array',
      items: {
        type: 'object',
        properties: { ...tensorFields, parameters: { type: 'object' }, data: { type: 'array', items: element } },
        required: ['name', 'shape', 'datatype', 'data'],
      },
    },
  },
  required: ['model_name', 'outputs'],
}

export const errorSchema: Schema = { type: 'object', properties: { error: { type: 'string' } }, required: ['error'] }
