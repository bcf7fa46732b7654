/** Requests of subclouds as forms. */
import { type Api, PEER_UUID } from './api.ts'
import { answered, base64, CANARIES, form, type Parts, valuesOf } from './fixture.ts'

export const SYSADMIN = base64(CANARIES.sysadmin)
export const SUBCLOUDS = '/subclouds'

/** What `subcloud add --migrate` sends. */
export const newSubcloud = (number = 1, { fields = {}, files = {} }: Parts = {}): Parts => ({
  fields: {
    migrate: 'true',
    name: `s${number}`,
    'bootstrap-address': `10.2.${number}.5`,
    sysadmin_password: SYSADMIN,
    ...fields,
  },
  files: { bootstrap_values: valuesOf(number, { admin_password: CANARIES.admin }), ...files },
})

/** What the other site sends for a copy. */
export const newCopy = (number = 1, { fields = {}, files = {} }: Parts = {}): Parts => ({
  fields: {
    secondary: 'true',
    'bootstrap-address': `10.2.${number}.5`,
    region_name: String(number).padStart(32, 'a'),
    owner_epoch: '7',
    values_version: JSON.stringify({ [PEER_UUID]: 3 }),
    ...fields,
  },
  files: { bootstrap_values: valuesOf(number, { admin_password: base64(CANARIES.admin) }), ...files },
})

export const without = <Value>(members: Readonly<Record<string, Value>>, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))

/** @param user whose token */
export async function ask(api: Api, method: string, path: string, parts?: Parts, user = 'admin') {
  const headers = { 'x-auth-token': await api.tokenOf(user) }
  return await answered(api.call(method, `${SUBCLOUDS}${path}`, parts && form(parts), headers))
}
