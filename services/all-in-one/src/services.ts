import { createDriftMonitor, driftMonitorConfig, migrations as driftMonitorMigrations } from '@millrace/drift-monitor'
import { createGateway, gatewayConfig, migrations as gatewayMigrations } from '@millrace/gateway'
import { createInference, inferenceConfig } from '@millrace/inference'
import { createPromoter, promoterConfig, migrations as promoterMigrations } from '@millrace/promoter'
import { createRegistry, registryConfig, migrations as registryMigrations } from '@millrace/registry'
import { createTracking, trackingConfig, migrations as trackingMigrations } from '@millrace/tracking'
import { createTrainer, trainerConfig, migrations as trainerMigrations } from '@millrace/trainer'
import { z } from 'zod'
import type { ServiceName } from './shared-parts.ts'

/** The settings of all services: one environment, every problem reported at once. */
export const servicesConfig = z.object({
  ...trackingConfig.shape,
  ...registryConfig.shape,
  ...promoterConfig.shape,
  ...trainerConfig.shape,
  ...inferenceConfig.shape,
  ...driftMonitorConfig.shape,
  ...gatewayConfig.shape,
})

export const createServices = {
  tracking: createTracking,
  registry: createRegistry,
  promoter: createPromoter,
  trainer: createTrainer,
  inference: createInference,
  'drift-monitor': createDriftMonitor,
  gateway: createGateway,
} as const

export const migrationsOf: Readonly<Record<ServiceName, URL | null>> = {
  tracking: trackingMigrations,
  registry: registryMigrations,
  promoter: promoterMigrations,
  trainer: trainerMigrations,
  inference: null,
  'drift-monitor': driftMonitorMigrations,
  gateway: gatewayMigrations,
}
