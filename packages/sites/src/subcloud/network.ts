/** Checks of the networks that bootstrap values speak of, against this site and its other subclouds. Pure. */
import type { SiteNetwork } from '../site.ts'
import { type Address, addressOf, contains, overlap, type Subnet, sizeOf, subnetOf } from './address.ts'
import type { Json } from './rows.ts'

/** Addresses that another subcloud has. */
export interface TakenRange {
  readonly name: string
  readonly start: string
  readonly end: string
}

const MODES: readonly string[] = ['simplex', 'duplex', 'duplex-direct']
const MIN_SIZE_SIMPLEX = 4n
const MIN_SIZE = 8n

/** What is wrong, in words for the caller. */
class Problem extends Error {}

/** @returns the first problem; undefined when there is none */
export function networkProblem(values: Json, site: SiteNetwork, taken: readonly TakenRange[]): string | undefined {
  try {
    checkManagement(values, site, taken)
    checkGateway(read(values, 'systemcontroller_gateway_address'), site)
    checkOam(values)
    checkAdmin(values)
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** Of the address by which this site reaches the subcloud. */
export function gatewayProblem(gateway: string, site: SiteNetwork): string | undefined {
  try {
    checkGateway(gateway, site)
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** Of two families, separated by a comma, the first one counts. */
export function read(values: Json, name: string): string {
  const value = values[name]
  return typeof value === 'string' ? (value.split(',')[0] ?? '').trim() : ''
}

function checkManagement(values: Json, site: SiteNetwork, taken: readonly TakenRange[]): void {
  const mode = values['system_mode']
  if (typeof mode !== 'string' || !MODES.includes(mode)) throw new Problem('Invalid system_mode')
  const subnet = subnetField(values, 'management_subnet', mode === 'simplex' ? MIN_SIZE_SIMPLEX : MIN_SIZE)
  const start = addressIn(values, 'management_start_address', subnet)
  const end = addressIn(values, 'management_end_address', subnet)
  if (values['admin_subnet'] === undefined) addressIn(values, 'management_gateway_address', subnet)
  if (start.value >= end.value) throw new Problem('management_start_address has to be below management_end_address')
  const own = subnetOf(site.managementSubnet)
  if (own && overlap(subnet, own)) throw new Problem('management_subnet overlaps the one of the system controller')
  const range: Subnet = { family: subnet.family, first: start.value, last: end.value }
  const other = taken.find(each => overlapsRange(range, each))
  if (other) throw new Problem(`The management addresses overlap those of subcloud ${other.name}`)
}

function overlapsRange(range: Subnet, { start, end }: TakenRange): boolean {
  const first = addressOf(start)
  const last = addressOf(end)
  return (
    first !== undefined &&
    last !== undefined &&
    overlap(range, { family: first.family, first: first.value, last: last.value })
  )
}

/** In the network of the controller, and none of the addresses that it gives to its own hosts. */
function checkGateway(text: string, site: SiteNetwork): void {
  const gateway = addressOf(text)
  if (!gateway) throw new Problem('Invalid systemcontroller_gateway_address')
  const own = subnetOf(site.managementSubnet)
  if (own && !contains(own, gateway))
    throw new Problem(`systemcontroller_gateway_address is not in the management subnet ${site.managementSubnet}`)
  const start = addressOf(site.managementPool.start)
  const end = addressOf(site.managementPool.end)
  if (start && end && contains({ family: start.family, first: start.value, last: end.value }, gateway))
    throw new Problem('systemcontroller_gateway_address is within the address pool of the management network')
}

function checkOam(values: Json): void {
  const oam = subnetField(values, 'external_oam_subnet', MIN_SIZE_SIMPLEX)
  const management = subnetOf(read(values, 'management_subnet'))
  if (management && overlap(oam, management)) throw new Problem('external_oam_subnet overlaps management_subnet')
  addressIn(values, 'external_oam_gateway_address', oam)
  addressIn(values, 'external_oam_floating_address', oam)
}

function checkAdmin(values: Json): void {
  if (values['admin_subnet'] === undefined) return
  const subnet = subnetField(values, 'admin_subnet', MIN_SIZE_SIMPLEX)
  const start = addressIn(values, 'admin_start_address', subnet)
  const end = addressIn(values, 'admin_end_address', subnet)
  addressIn(values, 'admin_gateway_address', subnet)
  if (start.value >= end.value) throw new Problem('admin_start_address has to be below admin_end_address')
}

function subnetField(values: Json, name: string, least: bigint): Subnet {
  const subnet = subnetOf(read(values, name))
  if (!subnet) throw new Problem(`Invalid ${name}`)
  if (sizeOf(subnet) < least) throw new Problem(`${name} has to have at least ${least} addresses`)
  return subnet
}

function addressIn(values: Json, name: string, subnet: Subnet): Address {
  const address = addressOf(read(values, name))
  if (!address) throw new Problem(`Invalid ${name}`)
  if (!contains(subnet, address)) throw new Problem(`${name} is not in its subnet`)
  return address
}
