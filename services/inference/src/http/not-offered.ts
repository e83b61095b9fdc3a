import { AppError } from '@millrace/platform/errors.ts'
import type { Reply } from './exchange.ts'

/** POST …:classify, :regress and :explain */
export async function notOffered(): Promise<Reply> {
  throw new AppError('NOT_IMPLEMENTED', 'Only :predict is offered: send tensors, and read classes or scores from the outputs of the model.')
}
