import { type Alarm, alarmKey } from './definitions.ts'

export interface AlarmChanges {
  /** New, or with another text or severity than before. */
  readonly raise: readonly Alarm[]
  readonly clear: readonly Alarm[]
}

/** From the alarms there are to those there should be. Level, not edge: asked again and again it says nothing new. */
export function alarmChanges(present: readonly Alarm[], wanted: readonly Alarm[]): AlarmChanges {
  const known = new Map(present.map(alarm => [alarmKey(alarm), alarm]))
  const kept = new Set(wanted.map(alarmKey))
  return {
    raise: wanted.filter(alarm => {
      const before = known.get(alarmKey(alarm))
      return before?.text !== alarm.text || before.severity !== alarm.severity
    }),
    clear: present.filter(alarm => !kept.has(alarmKey(alarm))),
  }
}
