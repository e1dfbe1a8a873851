import { z } from 'zod';
import { BASE_PATH, PROBE_PATHS } from '../contract/http.ts';
import { integer } from './integer.ts';
import { objectName } from './object-name.ts';
import { resources } from './resources.ts';
import { withRules } from './rule.ts';

const PROBES: string[] = Object.values(PROBE_PATHS);

const path = withRules(
  z.string().max(200).regex(BASE_PATH, 'must be a path such as /games/arcade, without a slash at its end'),
  [
    {
      cel: `!(self in [${PROBES.map((probe) => `'${probe}'`).join(', ')}])`,
      message: `must not be the path of a probe: ${PROBES.join(', ')}`,
      holds: (value) => !PROBES.includes(value),
    },
  ],
);

const auth = z.strictObject({
  secretName: objectName('the name of a Secret').describe(
    'Secret with the key token (for programs), or username and password (for browsers too), or all three.',
  ),
});

const ingress = z.strictObject({
  host: objectName('a host name').describe('Host name under which the dashboard is served.'),
  path: path.default('/').describe('Path under which the dashboard is served, such as /games/arcade.'),
  className: objectName('the name of an IngressClass').optional().describe('IngressClass to use.'),
  tlsSecret: objectName('the name of a Secret')
    .optional()
    .describe('Secret with the certificate. Unset: plain HTTP.'),
});

/** spec.dashboard: the page that shows the boards. */
export const dashboard = z.strictObject({
  replicas: integer(0, 100)
    .optional()
    .describe('Copies of the dashboard. Each shows the same. Unset: one, or what an autoscaler says.'),
  title: z.string().min(1).max(80).optional().describe('Heading of the page. Default: the resource’s name.'),
  ingress: ingress.optional().describe('Makes an Ingress to the dashboard’s Service.'),
  auth: auth.optional().describe('Requires a sign-in. Unset: the dashboard is open to everyone.'),
  // Measured: 149 MB and 5 % of a core with nobody looking, 285 MB and 17 % with as many viewers as it takes.
  resources: resources({ requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '512Mi' } }).describe(
    'Resources of the dashboard’s container. Unset: 50m and 256Mi requested, 512Mi at most, by what it was measured to take with up to 5,000 viewers. What is set replaces all of that.',
  ),
});
