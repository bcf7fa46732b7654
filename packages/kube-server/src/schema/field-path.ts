/** One step into a value: the name of a field, the index of a list item, or the key of a map. */
export type PathPart = string | number | { readonly key: string }

/** Path as causes show it: `spec.parts[0].name`, `spec.labels[key]`; the empty path is `<nil>`. */
export function fieldPath(parts: readonly PathPart[]): string {
  return parts.length === 0 ? '<nil>' : joinPath(parts)
}

/** Like `fieldPath`, but the empty path stays empty. */
export function joinPath(parts: readonly PathPart[]): string {
  let path = ''
  for (const part of parts) {
    if (typeof part === 'number') path += `[${part}]`
    else if (typeof part === 'object') path += `[${part.key}]`
    else path += path === '' ? part : `.${part}`
  }
  return path
}
