/** Where an object stands in its collection. An `ObjectKey` is a place too. */
export interface Place {
  readonly namespace: string
  readonly name: string
}

/** Half-open stretch of places; `end` undefined reaches to the last one. */
export interface Stretch {
  readonly start: Place
  readonly end: Place | undefined
}

/** Namespace first, then name, by code unit. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  if (a.name === b.name) return 0
  return a.name < b.name ? -1 : 1
}

/** The smallest place above `place`. */
export function placeAfter(place: Place): Place {
  return { namespace: place.namespace, name: `${place.name}\0` }
}

/** All places of one namespace, or of the whole collection. */
export function stretchOf(namespace: string | undefined): Stretch {
  if (namespace === undefined) return { start: { namespace: '', name: '' }, end: undefined }
  return { start: { namespace, name: '' }, end: { namespace: `${namespace}\0`, name: '' } }
}

/** Whether `place` lies in `stretch`. */
export function isWithin(place: Place, stretch: Stretch): boolean {
  return (
    comparePlaces(place, stretch.start) >= 0 && (stretch.end === undefined || comparePlaces(place, stretch.end) < 0)
  )
}

/** One string for one place, for use as a map key; names never hold NUL. */
export function placeId(place: Place): string {
  return `${place.namespace}\0${place.name}`
}
