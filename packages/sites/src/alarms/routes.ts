import { type Row, selectRows } from '@godwit/store'
import { z } from 'zod'
import type { Route } from '../http/route.ts'
import { text } from '../state/column.ts'

const shownSchema = z.object({
  alarm_id: z.string(),
  entity_instance_id: z.string(),
  severity: z.string(),
  reason_text: z.string(),
  proposed_repair_action: z.string(),
  timestamp: z.string(),
})

const shown = (row: Row): z.infer<typeof shownSchema> => ({
  alarm_id: text(row, 'alarm_id'),
  entity_instance_id: text(row, 'entity'),
  severity: text(row, 'severity'),
  reason_text: text(row, 'reason'),
  proposed_repair_action: text(row, 'repair'),
  timestamp: text(row, 'raised_at'),
})

export const alarmRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: ['alarms'],
    policy: 'read',
    summary: 'Lists the alarms that are raised',
    answer: z.object({ alarms: z.array(shownSchema) }),
    handle: async ({ sql }) => ({ alarms: (await selectRows(sql, 'alarm')).map(shown) }),
  },
]
