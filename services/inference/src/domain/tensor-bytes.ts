import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import { allocate, type Tensor } from './tensor.ts'

const encoder = new TextEncoder()
// A byte order mark is a character like any other here.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Raw bytes of a tensor as the Open Inference Protocol's binary extension lays them out: little-endian, row-major; BYTES as a uint32 length before each
 * element. (Little-endian machines only, as is everything that the runtime supports.)
 */
export function rawBytesOf({ data }: Tensor): Uint8Array {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const elements = data.map((text) => encoder.encode(text))
  const bytes = new Uint8Array(elements.reduce((size, element) => size + 4 + element.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const element of elements) {
    view.setUint32(at, element.length, true)
    bytes.set(element, at + 4)
    at += 4 + element.length
  }
  return bytes
}

interface Entry {
  name: string
  datatype: Datatype
  shape: number[]
  bytes: number
}

/** Tensors as one run of bytes: uint32 length of a JSON head, the head, then each tensor's raw bytes. */
export function packTensors(tensors: readonly Tensor[]): Uint8Array {
  const raw = tensors.map(rawBytesOf)
  const entries: Entry[] = tensors.map(({ name, datatype, shape }, index) => ({ name, datatype, shape: [...shape], bytes: raw[index]?.length ?? 0 }))
  const head = encoder.encode(JSON.stringify(entries))
  const packed = new Uint8Array(4 + head.length + raw.reduce((size, bytes) => size + bytes.length, 0))
  new DataView(packed.buffer).setUint32(0, head.length, true)
  packed.set(head, 4)
  let at = 4 + head.length
  for (const bytes of raw) {
    packed.set(bytes, at)
    at += bytes.length
  }
  return packed
}

/** Reads what `packTensors` wrote; anything else throws. */
export function unpackTensors(packed: Uint8Array): Tensor[] {
  const headLength = new DataView(packed.buffer, packed.byteOffset).getUint32(0, true)
  // The cast is sound: these bytes never leave Millrace's own cache, and were written by `packTensors`.
  const entries = JSON.parse(decoder.decode(packed.subarray(4, 4 + headLength))) as Entry[]
  let at = 4 + headLength
  return entries.map(({ name, datatype, shape, bytes }) => {
    const raw = packed.slice(at, at + bytes)
    at += bytes
    return { name, datatype, shape, data: datatype === 'BYTES' ? readStrings(raw) : readNumbers(datatype, raw) }
  })
}

function readNumbers(datatype: Exclude<Datatype, 'BYTES'>, raw: Uint8Array): Tensor['data'] {
  const width = allocate(datatype, 0).BYTES_PER_ELEMENT
  const data = allocate(datatype, raw.length / width)
  new Uint8Array(data.buffer).set(raw)
  return data
}

function readStrings(raw: Uint8Array): string[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const texts: string[] = []
  for (let at = 0; at < raw.length; ) {
    const length = view.getUint32(at, true)
    texts.push(decoder.decode(raw.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return texts
}
