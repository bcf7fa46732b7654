/** The simulated subclouds of the demo, as their service and as the API of a site wants them described. */
import type { Json } from './site-client.ts'

export const SYSADMIN_PASSWORD = 'Sysadmin-1*'
export const FACTORY = 'factory'
const RELEASE = '24.09'
/** Of each step of a playbook: long enough that somebody can be killed in the middle. */
const STEP_MS = 60
/** Nobody answers there. */
export const WRONG_ADDRESS = '172.31.255.250'

export interface DemoSubcloud {
  readonly name: string
  readonly region: string
  readonly bootstrapAddress: string
  readonly values: Json
}

/** @param gateway in the management subnet of the site that takes it in first */
export function demoSubcloud(index: number, gateway: string): DemoSubcloud {
  const name = `subcloud-${String(index + 1).padStart(2, '0')}`
  const place = `${index >> 8}.${index & 255}`
  const [high, low] = place.split('.').map(Number)
  const management = `10.${100 + (high ?? 0)}.${low}`
  const oam = `172.${16 + (high ?? 0)}.${low}`
  return {
    name,
    region: (index + 1).toString(16).padStart(32, '0'),
    bootstrapAddress: `${oam}.2`,
    values: {
      name,
      system_mode: 'simplex',
      management_subnet: `${management}.0/24`,
      management_start_address: `${management}.2`,
      management_end_address: `${management}.50`,
      management_gateway_address: `${management}.1`,
      systemcontroller_gateway_address: gateway,
      external_oam_subnet: `${oam}.0/24`,
      external_oam_gateway_address: `${oam}.1`,
      external_oam_floating_address: `${oam}.2`,
    },
  }
}

/** What the simulator is told: freshly installed, at home nowhere yet. */
export const simulated = ({ name, region, bootstrapAddress }: DemoSubcloud) => ({
  region,
  name,
  bootstrapAddress,
  sysadminPassword: SYSADMIN_PASSWORD,
  release: RELEASE,
  home: { site: FACTORY, credentials: '' },
  knobs: { stepMs: STEP_MS },
})

export const base64 = (text: string) => Buffer.from(text).toString('base64')
