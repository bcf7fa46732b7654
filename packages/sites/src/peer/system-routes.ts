import { z } from 'zod'
import type { Route } from '../http/route.ts'
import type { Site } from '../site.ts'

/** What the other site asks for to learn which system answers: the first of a list with one entry. */
export const systemRoutes = ({ identity }: Site): readonly Route[] => [
  {
    method: 'GET',
    path: ['v1', 'isystems'],
    policy: 'read',
    summary: 'Names the system of this site',
    answer: z.object({ isystems: z.array(z.object({ uuid: z.string(), name: z.string() })) }),
    handle: async () => ({ isystems: [{ uuid: identity.uuid, name: identity.name }] }),
  },
]
