/** The key pair that the bundles of one migration are sealed for. It never leaves the target hub, and goes with the migration. */
import { isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import { AGENT_NAMESPACE, annotations, type Secret, sealingKeyName } from '../api/index.ts'
import { makeSealingKeyPair, type SealingKeyPair } from '../bundle/seal.ts'

const refOf = (migrationUid: string) => ({ name: sealingKeyName(migrationUid), namespace: AGENT_NAMESPACE })
const decode = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('utf8')

export async function readSealingKey(hub: KubeClient, migrationUid: string): Promise<SealingKeyPair | undefined> {
  const secret = await hub.get<Secret>(resources.secrets, refOf(migrationUid))
  return secret && { publicKey: decode(secret.data?.['publicKey']), privateKey: decode(secret.data?.['privateKey']) }
}

/** @returns the public key; the one that exists already wins, so that a repeated effect changes nothing. */
export async function makeSealingKey(hub: KubeClient, migrationUid: string): Promise<string> {
  const pair = makeSealingKeyPair()
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...refOf(migrationUid), annotations: { [annotations.migration]: migrationUid } },
    stringData: { ...pair },
  }
  try {
    await hub.create(resources.secrets, secret)
    return pair.publicKey
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  return (await readSealingKey(hub, migrationUid))?.publicKey ?? makeSealingKey(hub, migrationUid)
}

export const deleteSealingKey = (hub: KubeClient, migrationUid: string) =>
  hub.delete(resources.secrets, refOf(migrationUid))
