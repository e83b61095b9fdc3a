import type { Service } from '../service.ts'

/**
 * The named jobs run only in the process for which `isActive` is true: for work that two processes of a service must not do at the same time.
 * @throws Error where the service has no such job
 */
export function withExclusiveJobs(service: Service, names: readonly string[], isActive: () => boolean): Service {
  const unknown = names.find((name) => !service.jobs.some((job) => job.name === name))
  if (unknown) throw new Error(`${service.name} has no job ${unknown}: it has ${service.jobs.map((job) => job.name).join(', ')}`)
  const jobs = service.jobs.map((job) =>
    names.includes(job.name) ? { ...job, run: async (signal: AbortSignal) => (isActive() ? job.run(signal) : false) } : job,
  )
  return { ...service, jobs }
}
