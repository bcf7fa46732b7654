/** Runs the load on a durable store until somebody kills it: `node crash-child.ts FOLDER SEED`. */
import { writeSync } from 'node:fs'
import { seededRandom, systemClock } from '@godwit/ports'
import type { KubeObject } from '../src/api/object.ts'
import { type ObjectKey, type Store, sqliteStore } from '../src/store/index.ts'
import { type CrashTarget, runLoad } from './crash-load.ts'

export const crashCollection = 'configmaps'

function keyOf(name: string): ObjectKey {
  return { collection: crashCollection, namespace: 'crash', name }
}

function configMap(key: ObjectKey, value: string): KubeObject {
  const metadata = {
    name: key.name,
    namespace: key.namespace,
    uid: key.name,
    resourceVersion: '',
    creationTimestamp: '',
  }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, value }
}

function storeTarget(store: Store): CrashTarget {
  const removals = new Map<string, number>()
  store.watch(crashCollection, undefined, ({ type, stored, version }) => {
    if (type === 'DELETED') removals.set(stored.key.name, version)
  })
  const write = async (name: string, valueFrom: (before: unknown) => string) => {
    const key = keyOf(name)
    const stored = await store.mutate(key, current => ({ put: configMap(key, valueFrom(current?.object['value'])) }))
    return stored?.version ?? Number.NaN
  }
  return {
    put: (name, value) => write(name, () => value),
    increment: name => write(name, before => String(Number(before ?? 0) + 1)),
    async remove(name) {
      await store.mutate(keyOf(name), current => (current ? { remove: current.object } : { unchanged: undefined }))
      return removals.get(name) ?? Number.NaN
    },
  }
}

const [folder = '', seed = ''] = process.argv.slice(2)
// Not process.stdout: when the pipe is full it keeps lines in this process, which is about to die.
const report = (line: string) =>
  void writeSync(
    1,
    `${line}
`,
  )
const store = sqliteStore({ clock: systemClock, folder })
await runLoad(storeTarget(store), { random: seededRandom(Number(seed)), writers: 16, report, run: seed })
