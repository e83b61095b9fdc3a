import type { Model, Serving, Version } from './model.ts'

/** A version that can be served, in stage None, unless told otherwise. */
export const version = (number: number, rest: Partial<Version> = {}): Version => ({
  version: number,
  stage: 'None',
  status: 'READY',
  statusMessage: '',
  servable: true,
  unservableReason: null,
  promotedAt: null,
  predecessor: null,
  ...rest,
})

/** Version 1 in Production at generation 7, version 2 in Staging and a canary, version 3 in None. */
export const fish = (rest: { versions?: readonly Version[]; serving?: Partial<Serving> } = {}): Model => ({
  name: 'fish',
  versions: rest.versions ?? [version(1, { stage: 'Production', promotedAt: 100 }), version(2, { stage: 'Staging' }), version(3)],
  serving: { generation: 7, salt: 'salt-a', production: 1, candidates: [{ version: 2, mode: 'canary', weightPercent: 10 }], ...rest.serving },
})
