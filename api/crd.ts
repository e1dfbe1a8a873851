import { z } from 'zod';
import { GROUP, gameAnalytics, KIND, VERSION } from './gameanalytics.ts';

type JsonSchema = Record<string, unknown>;

interface RootSchema {
  properties: Record<string, JsonSchema>;
  'x-kubernetes-validations'?: unknown[];
}

/**
 * The CustomResourceDefinition of GameAnalytics, printed from the zod schema that also parses manifests.
 * Structural schemas refuse `additionalProperties: false`: the API server prunes what it does not know
 * instead.
 */
export function customResourceDefinition() {
  const schema = z.toJSONSchema(gameAnalytics, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      const node = jsonSchema as JsonSchema;
      if (node.additionalProperties === false) delete node.additionalProperties;
      // RE2 knows none of zod's look-aheads; the format says it already.
      if (node.format === 'date-time') delete node.pattern;
    },
  }) as RootSchema;
  const { spec, status } = schema.properties;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gameanalytics.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'gameanalytics',
        singular: 'gameanalytics',
        shortNames: ['ga'],
        categories: ['all'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: PRINTER_COLUMNS,
          schema: {
            openAPIV3Schema: {
              description:
                'A live game-analytics pipeline: events in Kafka, leaderboards by Flink SQL, a dashboard.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                status,
              },
              'x-kubernetes-validations': schema['x-kubernetes-validations'],
            },
          },
        },
      ],
    },
  };
}

const PRINTER_COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Job', type: 'string', jsonPath: '.status.job.state' },
  { name: 'Dashboard', type: 'string', jsonPath: '.status.dashboard.service' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];
