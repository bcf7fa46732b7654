import type { RehomeAttempt } from '../src/executor/executor.ts'

export const attempt: RehomeAttempt = {
  runId: 'run-1',
  name: 's1',
  region: 'r1',
  softwareVersion: '24.09',
  bootstrapAddress: '10.0.0.1',
  values: { system_mode: 'simplex', admin_password: 'of-the-old-home' },
  sysadminPassword: 'sysadmin-pw',
}
