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

const fields = z.strictObject({
  requests: resourceList.optional().describe('What the container is scheduled with.'),
  limits: resourceList.optional().describe('What the container may use at most.'),
});

type Resources = z.infer<typeof fields>;

/**
 * What a container asks for, in Kubernetes' own terms. Nothing in it comes to the same as none at all: where
 * the last quantity is taken back, the API server sometimes leaves the one, sometimes the other.
 *
 * @param measured what is asked for when the resource asks for nothing
 */
export function resources(measured: Resources) {
  return fields.transform((wanted) => (asksForNothing(wanted) ? measured : wanted)).prefault(measured);
}

function asksForNothing({ requests = {}, limits = {} }: Resources): boolean {
  return Object.keys(requests).length + Object.keys(limits).length === 0;
}
