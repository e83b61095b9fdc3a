/** Bytes by key with a time to live. A cache may forget anything at any time and never fails: a fault is a miss. */
export interface Cache {
  get(key: string): Promise<Buffer | null>
  set(key: string, value: Buffer, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
}
