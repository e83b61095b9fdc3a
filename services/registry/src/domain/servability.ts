import type { Signature } from '@millrace/contracts/model/model-spec.ts'

/** Whether pods can serve an artifact. */
export type Servability = { servable: true; format: string; signature: Signature } | { servable: false; format: string; reason: string }

const unservable = (format: string, reason: string): Servability => ({ servable: false, format, reason })

/** A source that Millrace does not keep. */
export const judgeExternal = (source: string): Servability =>
  unservable(
    'external',
    `its source '${source}' lies outside of Millrace, which serves only what it has sealed. Log the files to a run here and register that.`,
  )

export const judgePrompt: Servability = unservable('prompt', 'it is a prompt, not a model: there is nothing to serve.')
