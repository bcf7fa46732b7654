/** People with rights for tests of access control: who they are, and what they were given where. */
import { Api } from './api.ts'

const cluster = '/apis/rbac.authorization.k8s.io/v1'

interface Place {
  readonly api: Api
  readonly server: { transport(caller: { name: string; groups: string[] }): ConstructorParameters<typeof Api>[0] }
}

/** A client that calls under this name. */
export const as = ({ server }: Place, name: string, ...groups: string[]) => new Api(server.transport({ name, groups }))

/** Gives a user rights everywhere, or in one namespace, and returns a client for them. */
export async function allow(at: Place, user: string, rules: unknown[], namespace?: string): Promise<Api> {
  const path = namespace === undefined ? cluster : `${cluster}/namespaces/${namespace}`
  const [role, plural] = namespace === undefined ? ['ClusterRole', 'clusterrole'] : ['Role', 'role']
  const name = `of-${user}`
  await at.api.create(`${path}/${plural}s`, { metadata: { name }, rules })
  await at.api.create(`${path}/${plural}bindings`, {
    metadata: { name },
    roleRef: { kind: role, name },
    subjects: [{ kind: 'User', name: user }],
  })
  return as(at, user)
}
