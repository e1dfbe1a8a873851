import { z } from 'zod';
import { integer } from './integer.ts';
import { objectName } from './object-name.ts';
import { resources } from './resources.ts';

const ingress = z.strictObject({
  host: objectName('a host name').describe('Host name under which the dashboard is served.'),
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
  resources: resources.prefault({}).describe('Resources of the dashboard’s container.'),
});
