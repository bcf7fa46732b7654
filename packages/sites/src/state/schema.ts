/** The tables of a site. A released step is never edited. */
import { type SchemaStep, workSchema } from '@godwit/store'

const systemPeer: SchemaStep = {
  name: 'system-peer',
  statements: [
    `create table system_peer (
      id integer primary key, version integer not null,
      peer_uuid text not null unique, peer_name text not null unique, manager_endpoint text not null,
      manager_username text not null, manager_password text not null, peer_controller_gateway_address text not null,
      administrative_state text not null, heartbeat_interval integer not null,
      heartbeat_failure_threshold integer not null, heartbeat_failure_policy text not null,
      heartbeat_maintenance_timeout integer not null, availability_state text not null, misses integer not null,
      created_at text not null, updated_at text)`,
  ],
}

const subcloudGroup: SchemaStep = {
  name: 'subcloud-group',
  statements: [
    `create table subcloud_group (
      id integer primary key, version integer not null, name text not null unique, description text not null,
      update_apply_type text not null, max_parallel_subclouds integer not null,
      created_at text not null, updated_at text)`,
    `insert into subcloud_group (version, name, description, update_apply_type, max_parallel_subclouds, created_at)
     values (1, 'Default', 'Default subcloud group', 'parallel', 2, '1970-01-01 00:00:00.000')`,
  ],
}

export const sitesSchema: readonly SchemaStep[] = [workSchema, systemPeer, subcloudGroup]
