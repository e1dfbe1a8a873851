import { z } from 'zod';

/** spec.players: the topic of players that are hidden or erased. */
export const players = z.strictObject({});
