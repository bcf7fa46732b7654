/** Rules of the fields that subclouds are added and changed with. A form has texts only. */
import { z } from 'zod'
import { addressField } from '../http/fields.ts'

/** It becomes the name of a host. */
export const subcloudNameField = z
  .string()
  .max(255)
  .regex(/^(?!\d+$)[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$/)

export const flagField = z
  .string()
  .regex(/^(true|false)$/i)
  .transform(value => value.toLowerCase() === 'true')

const regionField = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/)
const releaseField = z.string().regex(/^\d{2}\.\d{2}$/)
const epochField = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

/** Of base64, where it is checked: an error shows no value. */
const passwordField = z.string().max(4096)
const shortText = z.string().min(1).max(255)
const anyText = z.string().max(255)

const versionField = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue({ code: 'custom', message: 'no JSON' })
      return z.NEVER
    }
  })
  .pipe(z.record(z.string().max(64), z.int().min(0)))

const common = {
  description: anyText,
  location: anyText,
  group_id: shortText,
  release: releaseField,
  bmc_password: passwordField,
  sysadmin_password: passwordField,
  owner_epoch: epochField,
  values_version: versionField,
}

export const newSubcloudSchema = z
  .object({
    ...common,
    name: subcloudNameField,
    'bootstrap-address': addressField,
    region_name: regionField,
    migrate: flagField,
    secondary: flagField,
    enroll: flagField,
    on_site: flagField,
  })
  .partial()

export const subcloudChangeSchema = z
  .object({
    ...common,
    name: subcloudNameField,
    bootstrap_address: addressField,
    peer_group: shortText,
    'management-state': z.enum(['managed', 'unmanaged']),
    migrate: flagField,
    force: flagField,
  })
  .partial()

export type NewSubcloudFields = z.infer<typeof newSubcloudSchema>
export type SubcloudChange = z.infer<typeof subcloudChangeSchema>

const OLDEST_RELEASE = '22.12'

/** Not newer than the site that takes the subcloud in: its playbook would not know it. */
export const isSupportedRelease = (release: string, siteRelease: string): boolean =>
  OLDEST_RELEASE <= release && release <= siteRelease
