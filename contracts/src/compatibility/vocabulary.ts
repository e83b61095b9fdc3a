/** Say something to people and nothing to validators: they may change. `x-known-values` lists what a reader may meet today. */
export const annotations: readonly string[] = ['$id', '$schema', '$comment', 'title', 'description', 'examples', 'deprecated', 'x-known-values']

/** Compared as they stand: any change refuses old data, or lets new data surprise an old reader. */
export const scalarKeywords: readonly string[] = [
  'const',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'pattern',
  'format',
]
