import type { Tensor } from './tensor.ts'

/** Bytes that a tensor's values take in memory. */
export const rawSizeOf = ({ data }: Tensor): number => (Array.isArray(data) ? data.reduce((sum, text) => sum + 2 * text.length + 16, 0) : data.byteLength)
