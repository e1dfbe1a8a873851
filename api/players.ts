import { z } from 'zod';
import { objectName } from './object-name.ts';

/** spec.players: the topic of players that are hidden or erased. */
export const players = z.strictObject({
  secretName: objectName('the name of a Secret')
    .optional()
    .describe(
      'Secret with the key token. Programs that send it may hide and show players by POST /api/players of the dashboard. Unset: nobody may.',
    ),
});
