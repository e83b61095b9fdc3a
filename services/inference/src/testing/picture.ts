import { crc32, deflateSync } from 'node:zlib'

type Rgb = readonly [red: number, green: number, blue: number]

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

function png(width: number, height: number, scanlines: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(scanlines)), chunk('IEND', Buffer.alloc(0))])
}

/** A PNG of one colour. */
export function picture([red, green, blue]: Rgb, width = 32, height = 24): Buffer {
  const line = Buffer.from([0, ...Array.from({ length: width }, () => [red, green, blue]).flat()])
  return png(width, height, Buffer.concat(Array.from({ length: height }, () => line)))
}

/** A PNG whose header promises far more pixels than anybody should decode. */
export const hugePicture = (side: number): Buffer => png(side, side, Buffer.alloc(1000))

/** A form with the picture in the field `file`. */
export function imageForm(bytes: Uint8Array, field = 'file'): FormData {
  const form = new FormData()
  form.append(field, new Blob([Uint8Array.from(bytes)]), 'picture.png')
  return form
}
