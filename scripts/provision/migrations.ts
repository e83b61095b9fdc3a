const of = (service: string): URL => new URL(`../../services/${service}/migrations/`, import.meta.url)

/** The numbered files of each service that keeps tables, by the name of its schema. */
export const migrationsOf: Readonly<Record<string, URL>> = {
  tracking: of('tracking'),
  registry: of('registry'),
  promoter: of('promoter'),
  trainer: of('trainer'),
  drift_monitor: of('drift-monitor'),
  gateway: of('gateway'),
}
