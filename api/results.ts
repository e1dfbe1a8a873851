import { z } from 'zod';
import { resources } from './resources.ts';

/** spec.results: the final boards of seasons, in a topic of their own. */
export const results = z.strictObject({
  resources: resources({ requests: { cpu: '25m', memory: '192Mi' }, limits: { memory: '512Mi' } }).describe(
    'Resources of the container that writes them. Unset: 25m and 192Mi requested, 512Mi at most. What is set replaces all of that.',
  ),
});
