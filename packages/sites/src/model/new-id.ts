import type { Random } from '@godwit/ports'

/** 128 random bits as 32 hexadecimal digits: a region name. */
export const newHexId = (random: Random): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')

/** With dashes. */
export const newUuid = (random: Random): string => {
  const hex = newHexId(random)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
