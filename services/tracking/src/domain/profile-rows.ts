/** How many rows a data set's profile says that it has, in the words of MLflow's kinds of data sets; null where it does not say. */
export function rowsOfProfile(profile: string): number | null {
  if (profile === '' || profile.length > 100_000) return null
  try {
    const fields: Record<string, unknown> = Object(JSON.parse(profile))
    const shape = fields['features_shape'] ?? fields['data_shape']
    const first: unknown = Array.isArray(shape) ? shape[0] : undefined
    return [fields['num_rows'], fields['rows'], fields['samples'], first].find(isCount) ?? null
  } catch {
    return null
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
