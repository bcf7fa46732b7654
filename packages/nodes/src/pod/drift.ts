/**
 * Whether a pod still is what the spec asks for. Affinity and node are never compared: a pin that changes moves the VM,
 * it must not delete it.
 */
import { isEqualJson } from '@godwit/engine'
import { DEFAULT_POOL, nodeLabels, type Pod, podAnnotations, type Resources } from '../api/index.ts'
import { optionKeys } from './build-pod.ts'
import { annotationOf, isTerminal } from './pod-view.ts'
import { quantity } from './quantity.ts'

function amounts(resources: Resources | undefined): Record<string, number | undefined> {
  const { limits, requests } = resources ?? {}
  return Object.fromEntries(
    ['cpu', 'memory'].flatMap(name => [
      [`limits.${name}`, quantity(limits?.[name])],
      [`requests.${name}`, quantity(requests?.[name] ?? limits?.[name])],
    ]),
  )
}

const accountOf = (pod: Pod) => pod.spec.serviceAccountName || 'default'
const poolOf = (pod: Pod) => pod.spec.nodeSelector?.[nodeLabels.pool] || DEFAULT_POOL

function hasOtherClass(live: Pod, wanted: Pod): boolean {
  const [has, wants] = [live, wanted].map(pod => pod.spec.nodeSelector?.[nodeLabels.cpuClass])
  if (has === wants) return false
  // A pod of before the class was set: it is adopted while it lives.
  return has !== undefined || isTerminal(live)
}

/** The first thing that differs, for people; undefined when nothing does. */
export function driftOf(live: Pod, wanted: Pod, { isAgent }: { readonly isAgent: boolean }): string | undefined {
  for (const key of optionKeys)
    if ((annotationOf(live, key) ?? '') !== (annotationOf(wanted, key) ?? '')) return `annotation ${key}`
  const [has, wants] = [live, wanted].map(pod => pod.spec.containers[0])
  if (!isEqualJson(amounts(has?.resources), amounts(wants?.resources))) return 'resources'
  if (isAgent && accountOf(live) !== accountOf(wanted)) return 'serviceAccountName'
  if (isAgent && !isEqualJson(has?.envFrom ?? [], wants?.envFrom ?? [])) return 'envFrom'
  if (poolOf(live) !== poolOf(wanted)) return 'nodePool'
  if (hasOtherClass(live, wanted)) return 'snapshotCompatibilityClass'
  if (annotationOf(wanted, podAnnotations.managed) === 'true') return undefined
  const given = [podAnnotations.vmId, podAnnotations.ip, podAnnotations.vncPort]
  return given.find(key => (annotationOf(live, key) ?? '') !== (annotationOf(wanted, key) ?? ''))
}
