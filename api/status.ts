import { z } from 'zod';
import { closedSeason } from '../contract/results.ts';
import { CONDITION_TYPES } from './conditions.ts';
import { integer } from './integer.ts';

const condition = z.strictObject({
  type: z.enum(CONDITION_TYPES).describe('What the condition is about.'),
  status: z
    .enum(['True', 'False', 'Unknown'])
    .describe('Whether it holds; Unknown while the operator cannot know.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('The cause, as one word.'),
  message: z.string().max(32768).describe('The cause in words, and what to do about it.'),
  lastTransitionTime: z.iso
    .datetime()
    .meta({ format: 'date-time' })
    .describe('When the status last flipped.'),
  observedGeneration: integer(0).optional().describe('The generation of the spec that this describes.'),
});

/** Longer messages of the program that reads schemas are cut. */
export const LONGEST_PROBLEM = 2000;

/** What the newest schema of the events has of the columns that the spec uses. */
export const foundSchema = z.strictObject({
  digest: z.string().max(64).describe('For which spec it was looked for.'),
  subject: z.string().max(300).describe('Subject of the schema in the registry.'),
  version: integer(1).optional().describe('Version of the schema that has the columns.'),
  columns: z
    .array(
      z.strictObject({
        name: z.string().max(100).describe('Name of the field in a record.'),
        type: z.string().max(2000).describe('Flink SQL type.'),
      }),
    )
    .max(200)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The columns that the spec uses.'),
  problem: z.string().max(LONGEST_PROBLEM).optional().describe('Why there are no columns yet.'),
});

export type FoundSchema = z.output<typeof foundSchema>;

export const status = z.strictObject({
  observedGeneration: integer(0).optional().describe('The generation of the spec that was last acted on.'),
  conditions: z
    .array(condition)
    .max(20)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('Ready sums up the others.'),
  leaderboards: z
    .array(
      z.strictObject({
        name: z.string().max(40).describe('Name of the leaderboard.'),
        topic: z.string().max(249).describe('Topic that holds its rows.'),
      }),
    )
    .max(16)
    .optional()
    .describe('The leaderboards and the topics that hold them.'),
  job: z
    .strictObject({
      state: z.string().max(40).optional().describe('State of the Flink job, in Flink’s words.'),
      id: z.string().max(64).optional().describe('Id of the Flink job.'),
      revision: z.string().max(64).optional().describe('Revision of the job that was last applied.'),
      since: z.iso
        .datetime()
        .meta({ format: 'date-time' })
        .optional()
        .describe('When that revision was applied.'),
    })
    .optional()
    .describe('The Flink job.'),
  dashboard: z
    .strictObject({
      service: z.string().max(63).optional().describe('Service in front of the dashboard.'),
      port: integer(1, 65535).optional().describe('Port of that Service.'),
    })
    .optional()
    .describe('Where the dashboard is.'),
  schema: foundSchema
    .optional()
    .describe('With format avro-confluent and no events.columns, what was read from the schema registry.'),
  closedSeasons: z
    .array(closedSeason)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['board'] })
    .describe('With results, the last season of each leaderboard whose final board is in their topic.'),
});

/** What the operator last saw of a pipeline. */
export type Status = z.output<typeof status>;
export type Condition = z.output<typeof condition>;
