/** Simulated Open Cluster Management hubs and managed clusters. Never imported by shipped code. */
export { type Fleet, type FleetKnobs, type FleetOptions, type KlusterletReport, startFleet } from './fleet/fleet.ts'
export { type Residue, residue } from './fleet/residue.ts'
export { type Snapshot, takeSnapshot } from './fleet/snapshot.ts'
export { type MoveClaim, type Violation, verifyMoved } from './fleet/verify-moved.ts'
export { type CrdManifest, crdManifest } from './foreign/crd-manifests.ts'
export { GLOBAL_HUB_KINDS, HUB_KINDS, installCrds } from './foreign/install-crds.ts'
export { type ForeignKind, foreign } from './foreign/resources.ts'
export type * from './foreign/types.ts'
export {
  DEFAULT_HUB_KNOBS,
  FAST_HUB_KNOBS,
  type HubAccess,
  type HubKnobs,
  type ImportControllerMode,
} from './hub/context.ts'
export type { Disaster } from './hub/provisioners.ts'
export type { HistoryEntry } from './klusterlet/agent.ts'
export { DEFAULT_KNOBS, FAST_KNOBS } from './klusterlet/knobs.ts'
export type { FailureRates, KlusterletKnobs, KlusterletState, Label } from './klusterlet/state.ts'
export {
  type AgentFault,
  type AgentFaultEffect,
  type AgentFaults,
  type AgentKnobs,
  DEFAULT_AGENT_KNOBS,
  type FaultPoint,
  INSTANT_AGENT_KNOBS,
} from './nodes/agent-knobs.ts'
export { type InvariantOptions, InvariantWatch, type TagOwners } from './nodes/invariants.ts'
export type { Damage, GuestLedger, VmBook } from './nodes/ledger.ts'
export { type NodeOptions, nodeObject, type VmNode } from './nodes/node.ts'
export type { VmPod } from './nodes/pod.ts'
export type { RunningGuest, VmAgents } from './nodes/vm-agents.ts'
export { startVmCluster, type VmCluster, type VmClusterOptions } from './nodes/vm-cluster.ts'
export { type HubFlavour, type HubFoundation, prepareHub } from './population/hub-foundation.ts'
export { decidePlacement } from './population/placement.ts'
export { type GlobalHubPopulation, populateGlobalHub } from './population/populate-global-hub.ts'
export { clusterName, type HubPopulation, populateHub } from './population/populate-hub.ts'
export { FairTurns, fairTransport } from './queue/fair-transport.ts'
export type { RegistryAction, RegistryAuth, RegistryUser } from './registry/access.ts'
export { RegistryContent, type TagChange } from './registry/content.ts'
export {
  EmbeddedRegistry,
  type EmbeddedRegistryOptions,
  type RegistryRequestNote,
} from './registry/embedded-registry.ts'
export type { RegistryFaultEffect, RegistryFaultRule, RegistryFaults, RegistryPart } from './registry/faults.ts'
export {
  type SavedSnapshot,
  SnapshotStore,
  SnapshotStoreError,
  type StoredSnapshot,
} from './registry/snapshot-store.ts'
export { HOME_SWITCH, PLAYBOOK_STEPS, type PlaybookStep, type SimulatedRun } from './sites/playbook-steps.ts'
export {
  type Home,
  type HomeChange,
  type NewSubcloud,
  type Presence,
  type RunState,
  SimulatedSubclouds,
} from './sites/simulated-subclouds.ts'
export {
  type SimulatorExchange,
  type SubcloudServer,
  startSubcloudServer,
  subcloudApi,
} from './sites/subcloud-api.ts'
export { DEFAULT_SUBCLOUD_KNOBS, type StepFault, type SubcloudKnobs } from './sites/subcloud-knobs.ts'
export * from './torture/index.ts'
