import { z } from 'zod'
import { type PodAddress, readPodAddress } from '../domain/pod-address.ts'

const EXPECTED = 'expected http:// or https:// URLs, dns+http://name:port or srv+http://_port._tcp.name, separated by commas'

/** Where a service's processes are, separated by commas: base URLs, or names of which every address counts. */
export const podUrls = z.string(EXPECTED).transform((text, context): readonly PodAddress[] => {
  const parts = text.split(',').flatMap((part) => part.trim() || [])
  const addresses = parts.flatMap((part) => readPodAddress(part) ?? [])
  if (parts.length > 0 && addresses.length === parts.length) return addresses
  context.addIssue({ code: 'custom', message: EXPECTED })
  return z.NEVER
})
