/** The tables of a site. A released step is never edited. */
import { type SchemaStep, workReadySchema, workSchema } from '@godwit/store'
import { fillRanges } from '../subcloud/management-range.ts'

const systemPeer: SchemaStep = {
  name: 'system-peer',
  statements: [
    `create table system_peer (
      id integer primary key autoincrement, version integer not null,
      peer_uuid text not null unique, peer_name text not null unique, manager_endpoint text not null,
      manager_username text not null, manager_password text not null, peer_controller_gateway_address text not null,
      administrative_state text not null, heartbeat_interval integer not null,
      heartbeat_failure_threshold integer not null, heartbeat_failure_policy text not null,
      heartbeat_maintenance_timeout integer not null, availability_state text not null, misses integer not null, looked_ms bigint,
      created_at text not null, updated_at text)`,
  ],
}

const subcloudGroup: SchemaStep = {
  name: 'subcloud-group',
  statements: [
    `create table subcloud_group (
      id integer primary key autoincrement, version integer not null, name text not null unique, description text not null,
      update_apply_type text not null, max_parallel_subclouds integer not null,
      created_at text not null, updated_at text)`,
    `insert into subcloud_group (version, name, description, update_apply_type, max_parallel_subclouds, created_at)
     values (1, 'Default', 'Default subcloud group', 'parallel', 2, '1970-01-01 00:00:00.000')`,
  ],
}

/** Groups that move between sites, and what this site remembers of members that are gone (H6). */
const peerGroup: SchemaStep = {
  name: 'peer-group',
  statements: [
    `create table subcloud_peer_group (
      id integer primary key autoincrement, version integer not null, peer_group_name text not null unique,
      group_priority integer not null, group_state text not null, max_subcloud_rehoming integer not null,
      system_leader_id text not null, system_leader_name text not null, migration_status text,
      created_at text not null, updated_at text)`,
    `create table peer_group_association (
      id integer primary key autoincrement, version integer not null,
      peer_group_id integer not null references subcloud_peer_group (id),
      system_peer_id integer not null references system_peer (id), peer_group_priority integer,
      association_type text not null, sync_status text not null, sync_message text,
      deleting text, wanted text, told_status text, audited_ms bigint, created_at text not null, updated_at text,
      unique (peer_group_id, system_peer_id))`,
    `create table tombstone (
      id integer primary key autoincrement, version integer not null, peer_group_name text not null, region_name text not null,
      name text not null, owner_epoch bigint not null, created_at text not null,
      unique (peer_group_name, region_name))`,
  ],
}

const subcloud: SchemaStep = {
  name: 'subcloud',
  statements: [
    `create table subcloud (
      id integer primary key autoincrement, version integer not null, name text not null unique, region_name text not null unique,
      description text not null, location text not null, software_version text not null,
      management_state text not null, availability_status text not null, deploy_status text not null,
      error_description text not null, management_subnet text not null, management_gateway_ip text not null,
      management_start_ip text not null unique, management_end_ip text not null unique,
      systemcontroller_gateway_ip text not null, external_oam_subnet_ip_family text not null,
      rehome_data text, data_install text, group_id integer not null references subcloud_group (id),
      peer_group_id integer references subcloud_peer_group (id), rehomed integer not null,
      owner_epoch bigint not null, values_version text not null, audit_fail_count integer not null,
      answered_ms bigint, created_at text not null, updated_at text)`,
    'create index subcloud_peer_group_id on subcloud (peer_group_id)',
    `create table subcloud_status (
      subcloud_id integer not null references subcloud (id) on delete cascade, endpoint_type text not null,
      sync_status text not null, primary key (subcloud_id, endpoint_type))`,
  ],
}

/** A batch and its members: cursors of the stage tables, and why each of them waits. */
const batch: SchemaStep = {
  name: 'batch',
  statements: [
    `create table batch (
      id integer primary key autoincrement, version integer not null, operation_id text not null unique,
      peer_group_id integer not null, peer_group_name text not null, requested_by text not null,
      sysadmin_password text, stage text not null, direction text not null, entered integer not null,
      deadline_ms bigint, is_reported integer not null, cancelled_ms bigint, waits_for text, waits_on text,
      since_ms bigint not null, started_ms bigint, ended_ms bigint, outcome text, created_at text not null)`,
    'create index batch_group on batch (peer_group_id, ended_ms)',
    `create table batch_member (
      id integer primary key autoincrement, version integer not null, batch_id integer not null references batch (id),
      subcloud_id integer not null, name text not null, stage text not null, direction text not null,
      entered integer not null, deadline_ms bigint, wanted_epoch bigint not null, run_id text not null, run text,
      is_prepared integer not null, is_failure_reported integer not null, waits_for text, waits_on text,
      since_ms bigint not null, started_ms bigint, ended_ms bigint, outcome text, code text, message text)`,
    'create index batch_member_batch on batch_member (batch_id, ended_ms)',
  ],
}

const alarm: SchemaStep = {
  name: 'alarm',
  statements: [
    `create table alarm (
      id integer primary key autoincrement, version integer not null, alarm_id text not null, entity text not null,
      severity text not null, reason text not null, repair text not null, raised_at text not null,
      unique (alarm_id, entity))`,
  ],
}

const secretsKey: SchemaStep = {
  name: 'secrets-key',
  statements: [
    'create table secrets_key (id integer primary key autoincrement, version integer not null, proof text not null)',
  ],
}

/** What is done about a peer that is lost: one row for each outage. */
const failover: SchemaStep = {
  name: 'failover',
  statements: [
    `create table failover (
      id integer primary key autoincrement, version integer not null,
      system_peer_id integer not null unique references system_peer (id) on delete cascade, stage text not null,
      since_ms bigint not null, lost_since_ms bigint, looked_ms bigint, message text, operations text not null,
      created_at text not null)`,
  ],
}

/** For questions that are asked for each member: none of them looks at a whole batch. */
const memberLooks: SchemaStep = {
  name: 'member-looks',
  statements: [
    'alter table batch_member add column queued_ms bigint not null default 0',
    'create index batch_member_subcloud on batch_member (subcloud_id)',
    `create index batch_member_begun on batch_member (batch_id, direction, stage)
     where ended_ms is null and started_ms is not null`,
  ],
}

/** Addresses that sort as they are ordered: who may have them already is found without a look at every subcloud. */
const managementRange: SchemaStep = {
  name: 'management-range',
  statements: [
    "alter table subcloud add column management_first text not null default ''",
    "alter table subcloud add column management_last text not null default ''",
    'create index subcloud_management on subcloud (management_first, management_last)',
  ],
  fill: fillRanges,
}

export const sitesSchema: readonly SchemaStep[] = [
  workSchema,
  systemPeer,
  subcloudGroup,
  peerGroup,
  subcloud,
  batch,
  alarm,
  secretsKey,
  failover,
  memberLooks,
  workReadySchema,
  managementRange,
]
