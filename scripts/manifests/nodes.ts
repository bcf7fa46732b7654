/** The kustomize folders of deploy/nodes. Rules and CRDs come from the package: nothing here repeats them. */
import { cocoonHibernationCrd, cocoonSetCrd, operatorRules } from '@godwit/nodes'
import { clusterWide, deployment, kustomizeFolder, namespace } from './hubs.ts'

const NAMESPACE = 'cocoon-system'
const NAME = 'cocoon-operator'

/** By path in the repository. */
export function nodesManifests(): Readonly<Record<string, string>> {
  const env = [
    { name: 'OCI_REGISTRY', valueFrom: { configMapKeyRef: { name: NAME, key: 'registry' } } },
    { name: 'DOCKER_CONFIG', value: '/etc/godwit/docker' },
  ]
  const docker = { name: 'docker', secret: { secretName: 'cocoon-registry', optional: true } }
  return {
    ...kustomizeFolder('deploy/nodes/crds', {
      'cocoonsets.yaml': [cocoonSetCrd],
      'cocoonhibernations.yaml': [cocoonHibernationCrd],
    }),
    ...kustomizeFolder('deploy/nodes/operator', {
      'namespace.yaml': [namespace(NAMESPACE)],
      'rbac.yaml': clusterWide(NAME, NAMESPACE, operatorRules),
      'deployment.yaml': [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: NAME, namespace: NAMESPACE },
          data: { registry: 'registry.example.com/vms' },
        },
        deployment(NAME, NAMESPACE, {
          args: ['nodes', 'operator'],
          env,
          volumeMounts: [{ name: 'docker', mountPath: '/etc/godwit/docker', readOnly: true }],
          volumes: [docker],
        }),
      ],
    }),
  }
}
