import { AppError } from '@millrace/platform/errors.ts'

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('CANCELLED', 'The training was cancelled')
}

/** Maps with up to `width` calls at a time; the results keep the order of the items. Stops at the first error or when the signal aborts. */
export async function inOrder<Item, Result>(
  items: readonly Item[],
  width: number,
  map: (item: Item, index: number) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++) {
      throwIfCancelled(signal)
      const item = items[index]
      if (item !== undefined) results[index] = await map(item, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
  return results
}
