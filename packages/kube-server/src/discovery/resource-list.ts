/** Resources of one group version in the two forms of discovery. */
import type { JsonObject } from '../api/object.ts'
import type { Resource, SubresourceInfo } from '../registry/resource.ts'

/** `APIResourceList` entries of a resource and its subresources. */
export function legacyEntries(resource: Resource): JsonObject[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource
  const main: JsonObject = { name: plural, singularName: singular, namespaced, kind, verbs: [...verbs] }
  if (shortNames.length > 0) main['shortNames'] = [...shortNames]
  if (categories.length > 0) main['categories'] = [...categories]
  // The real one is a hash of the stored type; clients only look whether it is there.
  if (verbs.includes('list'))
    main['storageVersionHash'] = Buffer.from(`${resource.collection}`).toString('base64').slice(0, 11).padEnd(12, '=')
  return [main, ...resource.subresources.map(one => legacySubresource(resource, one))]
}

function legacySubresource(parent: Resource, { name, kind, group, version, verbs }: SubresourceInfo): JsonObject {
  return {
    name: `${parent.plural}/${name}`,
    singularName: '',
    namespaced: parent.namespaced,
    ...(group !== undefined && { group }),
    ...(version !== undefined && { version }),
    kind,
    verbs: [...verbs],
  }
}

/** Entry of aggregated discovery. Built-ins leave group and version of their kind empty: it is the same. */
export function aggregatedEntry(resource: Resource): JsonObject {
  const own = resource.custom
    ? { group: resource.group, version: resource.version, kind: resource.kind }
    : { group: '', version: '', kind: resource.kind }
  return {
    resource: resource.plural,
    responseKind: own,
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: [...resource.verbs],
    ...(resource.shortNames.length > 0 && { shortNames: [...resource.shortNames] }),
    ...(resource.categories.length > 0 && { categories: [...resource.categories] }),
    ...(resource.subresources.length > 0 && {
      subresources: resource.subresources.map(({ name, kind, group, version, verbs }) => ({
        subresource: name,
        responseKind: group === undefined ? { ...own, kind } : { group, version: version ?? '', kind },
        verbs: [...verbs],
      })),
    }),
  }
}
