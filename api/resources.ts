import { z } from 'zod';
import { ONE_VALUE } from './one-value.ts';

const quantity = (what: string) =>
  z
    .string()
    .max(20)
    .regex(
      /^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|k|M|G)?$/,
      'must be a Kubernetes quantity, such as "250m", "1.5" or 256Mi',
    )
    .describe(what);

const resourceList = z
  .strictObject({
    cpu: quantity('Processor time in cores: "250m" is a quarter of one.').optional(),
    memory: quantity('Memory: 256Mi, 1Gi.').optional(),
  })
  .meta(ONE_VALUE);

/** What a container asks for, in Kubernetes' own terms. */
export const resources = z.strictObject({
  requests: resourceList.optional().describe('What the container is scheduled with.'),
  limits: resourceList.optional().describe('What the container may use at most.'),
});
