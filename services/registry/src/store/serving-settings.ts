import { type AnnouncedServingSettings, announcedServingSettings, type ServingSettings } from '@millrace/contracts/model/serving-settings.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** Settings of a model, empty where none were set. */
export async function readServingSettings(sql: Sql, modelId: number): Promise<AnnouncedServingSettings> {
  const [row] = await sql.query<{ serving_settings: unknown }>('select serving_settings from registered_model where id = $1', [modelId])
  return announcedServingSettings.parse(row?.serving_settings ?? {})
}

export async function saveServingSettings(tx: Sql, modelId: number, settings: ServingSettings, now: Date): Promise<void> {
  await tx.query('update registered_model set serving_settings = $2, updated_at = $3 where id = $1', [modelId, JSON.stringify(settings), now])
}
